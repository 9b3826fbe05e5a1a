//! `nemotron`: Nemotron 3 and 4, Minitron: layer norms, a squared ReLU without a gate.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("nemotron", |at, hp| {
    let ffn = FfnSpec::plain(at, hp, Unary::ReluSquared)?;
    Layer::dense(at, hp, NormSpec::layer(at, hp)?, AttentionSpec::neox(at, hp)?, ffn)
})
.layer_normed();
