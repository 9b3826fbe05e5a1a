//! `glm-dsa`: GLM-5: DeepSeek-V3.2 with experts scored by a sigmoid, and layers that share one indexer's choice.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("glm-dsa", |at, hp| {
    let_all_through(at, hp)?;
    let moe = MoeSpec::by_keys(at, hp, Score::Sigmoid)?;
    let attention = Mla::load(at, super::deepseek2::attention(at, hp, 1.0)?)?;
    Layer::load(at, hp, (Norms::PRE, NormSpec::rms(at, hp)?), attention, moe.behind_dense(at, hp)?)
})
.scales(Scales::ALL);
