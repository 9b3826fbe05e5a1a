//! `olmo`: OLMo 1: layer norms that learn nothing, bounded queries, keys and values.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("olmo", |at, hp| {
    let clamp = at.get("attention.clamp_kqv")?.filter(|&limit: &f32| limit > 0.0);
    let attention = Attention::load(at, AttentionSpec { clamp, ..AttentionSpec::interleaved(at, hp)? })?;
    let ffn = Dense::load(at, FfnSpec::swiglu(at, hp)?)?;
    Layer::load(at, hp, (Norms::BARE, NormSpec::layer(at, hp)?), attention, ffn)
})
.head(|at, hp| Head::with(at, hp, Norm::bare(NormSpec::layer(at, hp)?)));
