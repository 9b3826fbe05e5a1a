//! `deepseek`: DeepSeek MoE 16B: Llama with experts, some shared, behind the first dense layers.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("deepseek", |at, hp| {
    let attention = Attention::load(at, AttentionSpec::interleaved(at, hp)?)?;
    let moe = MoeSpec { normalize: false, ..MoeSpec::softmax(at, hp)?.with_scale(at)?.with_shared(at)? };
    Layer::load(at, hp, (Norms::PRE, NormSpec::rms(at, hp)?), attention, moe.behind_dense(at, hp)?)
});
