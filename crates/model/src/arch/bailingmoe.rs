//! `bailingmoe`: Ling: Llama with experts, some shared.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("bailingmoe", |at, hp| {
    let attention = Attention::load(at, AttentionSpec::interleaved(at, hp)?)?;
    let moe = MoeSpec { normalize: at.get_or("expert_weights_norm", false)?, ..MoeSpec::softmax(at, hp)?.with_scale(at)? };
    let moe = Moe::load(at, moe.with_shared(at)?)?;
    Layer::load(at, hp, (Norms::PRE, NormSpec::rms(at, hp)?), attention, moe)
});
