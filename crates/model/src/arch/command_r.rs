//! `command-r`: Command R and R+, Aya: the feed-forward beside the attention, layer norms, scaled logits.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("command-r", |at, hp| {
    let norm = NormSpec::layer(at, hp)?;
    let qk_norm = at.has("attn_q_norm.weight").then(|| QkNorm::each_head(norm));
    let attention = Attention::load(at, AttentionSpec { qk_norm, ..AttentionSpec::interleaved(at, hp)? })?;
    let ffn = Dense::load(at, FfnSpec::swiglu(at, hp)?)?;
    Ok(Layer::load(at, hp, (Norms::SHARED, norm), attention, ffn)?.parallel())
})
.head(head);

pub(super) fn head(at: &Source<'_>, hp: &Hparams) -> Result<Head> {
    Ok(Head::load(at, hp, NormSpec::layer(at, hp)?)?.scaled(at.get("logit_scale")?.filter(|&s| s != 0.0).unwrap_or(1.0)))
}
