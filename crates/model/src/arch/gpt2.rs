//! `gpt2`: GPT-2: learned positions, layer norms, GELU.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("gpt2", |at, hp| {
    let ffn = FfnSpec::plain(at, hp, Unary::Gelu)?;
    Layer::dense(at, hp, NormSpec::layer(at, hp)?, AttentionSpec::causal(at, hp)?, ffn)
})
.embedding(|at, hp| Embedding::load(at, hp)?.with_positions(at, hp))
.layer_normed();
