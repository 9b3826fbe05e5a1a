//! `starcoder`: SantaCoder, StarCoder: GPT-2 with one head of keys and values.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("starcoder", |at, hp| {
    let ffn = FfnSpec::plain(at, hp, Unary::Gelu)?;
    Layer::dense(at, hp, NormSpec::layer(at, hp)?, AttentionSpec::causal(at, hp)?, ffn)
})
.embedding(|at, hp| Embedding::load(at, hp)?.with_positions(at, hp))
.layer_normed();
