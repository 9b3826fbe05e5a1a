//! `starcoder2`: StarCoder 2: layer norms, rotated halves, GELU.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("starcoder2", |at, hp| {
    let ffn = FfnSpec::plain(at, hp, Unary::Gelu)?;
    Layer::dense(at, hp, NormSpec::layer(at, hp)?, AttentionSpec::neox(at, hp)?, ffn)
})
.layer_normed();
