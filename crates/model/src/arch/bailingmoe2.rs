//! `bailingmoe2`: Ling 2, Ring: experts chosen as in DeepSeek-V3, norms of each head.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("bailingmoe2", |at, hp| {
    let attention = Attention::load(at, super::qwen3::attention(at, hp)?)?;
    let moe = MoeSpec::by_keys(at, hp, Score::Sigmoid)?.behind_dense(at, hp)?;
    Layer::load(at, hp, (Norms::PRE, NormSpec::rms(at, hp)?), attention, moe)
});
