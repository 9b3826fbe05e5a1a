//! `pangu-embedded`: openPangu Embedded: Qwen 2 under another name.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("pangu-embedded", |at, hp| {
    at.root().ignore("rope_freqs.weight", "the reference engine rotates without factors");
    Layer::llama(at, hp, AttentionSpec::neox(at, hp)?)
});
