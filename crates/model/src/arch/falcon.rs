//! `falcon`: Falcon 7B, 40B, 180B: the feed-forward beside the attention; the larger ones have a norm for each.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("falcon", |at, hp| {
    let norms = if at.has("attn_norm_2.weight") {
        Norms { mixer: Some("attn_norm_2"), ffn: Some("attn_norm"), ..Norms::PRE }
    } else {
        Norms::SHARED
    };
    let attention = Attention::load(at, AttentionSpec::neox(at, hp)?)?;
    let ffn = Dense::load(at, FfnSpec::plain(at, hp, Unary::Gelu)?)?;
    Ok(Layer::load(at, hp, (norms, NormSpec::layer(at, hp)?), attention, ffn)?.parallel())
})
.layer_normed();
