//! `glm-dsa`: GLM-5: DeepSeek-V3.2 with experts scored by a sigmoid, and layers that share one indexer's choice.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("glm-dsa", |at, hp| {
    let moe = MoeSpec::by_keys(at, hp, Score::Sigmoid)?;
    let attention = super::deepseek2::attention(at, hp, 1.0)?;
    let indexer = IndexerSpec { rotated: Rotated::First(RopeOrder::Interleaved), ..super::deepseek32::INDEXER };
    // Files of GLM-5.2, the first with a context this long, may not say which layers have an indexer.
    let has_indexer = |layer| hp.n_ctx_train < 1 << 20 || layer < 2 || layer % 4 == 2;
    let choice = Choice::own_or_shared(at, hp, &attention, indexer, has_indexer)?;
    let attention = Mla::load(at, attention)?.choosing(choice);
    Layer::load(at, hp, (Norms::PRE, NormSpec::rms(at, hp)?), attention, moe.behind_dense(at, hp)?)
})
.scales(Scales::ALL);
