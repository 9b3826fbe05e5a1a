//! `exaone`: EXAONE 3: Llama with rotated halves.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("exaone", |at, hp| Layer::llama(at, hp, AttentionSpec::neox(at, hp)?));
