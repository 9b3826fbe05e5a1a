//! `bloom`: BLOOM: ALiBi, a norm behind the embedding.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("bloom", |at, hp| {
    let attention = AttentionSpec { alibi_max_bias: Some(8.0), ..AttentionSpec::causal(at, hp)? };
    Layer::dense(at, hp, NormSpec::layer(at, hp)?, attention, FfnSpec::plain(at, hp, Unary::Gelu)?)
})
.embedding(|at, hp| {
    Ok(Embedding::load(at, hp)?.normed(Norm::load(at, "token_embd_norm", NormSpec::layer(at, hp)?, hp.n_embd)?))
})
.layer_normed();
