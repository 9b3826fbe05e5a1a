//! `smollm3`: SmolLM 3: every fourth layer has no positions.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("smollm3", |at, hp| {
    let mut attention = AttentionSpec::interleaved(at, hp)?;
    if at.index() % 4 == 3 {
        attention.rope = None;
    }
    Layer::llama(at, hp, attention)
});
