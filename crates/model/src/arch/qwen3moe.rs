//! `qwen3moe`: Qwen 3 with experts in every layer.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("qwen3moe", |at, hp| {
    let attention = Attention::load(at, super::qwen3::attention(at, hp)?)?;
    let moe = Moe::load(at, MoeSpec::softmax(at, hp)?)?;
    Layer::load(at, hp, (Norms::PRE, NormSpec::rms(at, hp)?), attention, moe)
})
.scales(Scales::EXPERTS);
