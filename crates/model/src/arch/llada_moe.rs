//! `llada-moe`: LLaDA MoE, a diffusion model: experts, norms of each head.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("llada-moe", |at, hp| {
    let attention = Attention::load(at, super::qwen3::attention(at, hp)?)?;
    let moe = Moe::load(at, MoeSpec { normalize: false, ..MoeSpec::softmax(at, hp)? })?;
    Layer::load(at, hp, (Norms::PRE, NormSpec::rms(at, hp)?), attention, moe)
})
    .bidirectional();
