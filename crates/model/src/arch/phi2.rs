//! `phi2`: Phi 1 and 2: the feed-forward beside the attention, behind the same norm.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("phi2", |at, hp| {
    let attention = Attention::load(at, AttentionSpec::neox(at, hp)?)?;
    let ffn = Dense::load(at, FfnSpec::plain(at, hp, Unary::Gelu)?)?;
    Ok(Layer::load(at, hp, (Norms::SHARED, NormSpec::layer(at, hp)?), attention, ffn)?.parallel())
})
.layer_normed();
