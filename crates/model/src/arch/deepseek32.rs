//! `deepseek32`: DeepSeek-V3.2: DeepSeek-V3 with an indexer that chooses what tokens attend to.

use crate::blocks::*;

/// Rotates the first elements, which the converter did not reorder.
pub(super) const INDEXER: IndexerSpec =
    IndexerSpec { rotated: Rotated::First(RopeOrder::Neox), eps: 1e-6, n_pooled: 1 };

pub(super) const ARCH: Arch = Arch::decoder("deepseek32", |at, hp| {
    let attention = super::deepseek2::attention(at, hp, 1.0)?;
    let choice = Choice::own(at, hp, &attention, INDEXER)?;
    super::deepseek2::layer(at, hp, Mla::load(at, attention)?.choosing(choice))
})
.scales(Scales::ALL);
