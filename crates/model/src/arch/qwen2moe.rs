//! `qwen2moe`: Qwen 1.5 and 2 with experts; a gate weighs those that are shared.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("qwen2moe", |at, hp| {
    let attention = Attention::load(at, AttentionSpec::neox(at, hp)?)?;
    let moe = MoeSpec { normalize: false, ..MoeSpec::softmax(at, hp)? };
    let moe = Moe::load(at, moe.with_shared(at)?)?;
    Layer::load(at, hp, (Norms::PRE, NormSpec::rms(at, hp)?), attention, moe)
});
