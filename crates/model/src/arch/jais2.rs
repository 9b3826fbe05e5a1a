//! `jais2`: Jais 2: layer norms, a squared ReLU without a gate.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("jais2", |at, hp| {
    let ffn = FfnSpec::plain(at, hp, Unary::ReluSquared)?;
    Layer::dense(at, hp, NormSpec::layer(at, hp)?, AttentionSpec::neox(at, hp)?, ffn)
})
.layer_normed();
