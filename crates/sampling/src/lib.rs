//! Samplers: from logits to the next token. One file a sampler, and the chain.
