//! `deepseek32`: DeepSeek-V3.2: DeepSeek-V3 with an indexer that chooses what long contexts attend to.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("deepseek32", |at, hp| {
    let_all_through(at, hp)?;
    super::deepseek2::layer(at, hp, super::deepseek2::attention(at, hp, 1.0)?)
})
.scales(Scales::ALL);
