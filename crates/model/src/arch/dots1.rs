//! `dots1`: dots.llm1: Qwen 3 with experts chosen as in DeepSeek-V3.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("dots1", |at, hp| {
    let attention = Attention::load(at, super::qwen3::attention(at, hp)?)?;
    let moe = MoeSpec::by_keys(at, hp, Score::Softmax)?.behind_dense(at, hp)?;
    Layer::load(at, hp, (Norms::PRE, NormSpec::rms(at, hp)?), attention, moe)
});
