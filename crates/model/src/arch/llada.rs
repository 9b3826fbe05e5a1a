//! `llada`: LLaDA, a diffusion model: Llama where every token sees all others.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("llada", |at, hp| {
    let biases = ["attn_output.bias", "ffn_gate.bias", "ffn_up.bias", "ffn_down.bias"];
    at.ignore_each(&biases, "the reference engine does not add it");
    at.root().ignore("rope_freqs.weight", "the reference engine rotates without factors");
    Layer::llama(at, hp, AttentionSpec::interleaved(at, hp)?)
})
.bidirectional();
