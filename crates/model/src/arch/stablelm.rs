//! `stablelm`: StableLM: layer norms, partly rotated heads; some have the feed-forward beside the attention.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("stablelm", |at, hp| {
    let norm = NormSpec::layer(at, hp)?;
    let qk_norm = at.has("attn_q_norm.weight").then(|| QkNorm::each_head(norm));
    let attention = Attention::load(at, AttentionSpec { qk_norm, ..AttentionSpec::neox(at, hp)? })?;
    let ffn = Dense::load(at, FfnSpec::swiglu(at, hp)?)?;
    if at.has("ffn_norm.weight") {
        return Layer::load(at, hp, (Norms::PRE, norm), attention, ffn);
    }
    Ok(Layer::load(at, hp, (Norms::SHARED, norm), attention, ffn)?.parallel())
})
.layer_normed();
