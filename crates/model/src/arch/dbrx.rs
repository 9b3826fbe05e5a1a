//! `dbrx`: DBRX: experts behind layer norms, bounded queries, keys and values.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("dbrx", |at, hp| {
    let clamp = at.get("attention.clamp_kqv")?.filter(|&limit: &f32| limit > 0.0);
    let attention = Attention::load(at, AttentionSpec { clamp, ..AttentionSpec::neox(at, hp)? })?;
    let norms = Norms { ffn: Some("attn_output_norm"), ..Norms::PRE };
    let moe = Moe::load(at, MoeSpec::softmax(at, hp)?)?;
    Layer::load(at, hp, (norms, NormSpec::layer(at, hp)?), attention, moe)
})
.layer_normed();
