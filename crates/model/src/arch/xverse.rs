//! `xverse`: XVERSE: Llama under another name.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("xverse", |at, hp| Layer::llama(at, hp, AttentionSpec::interleaved(at, hp)?));
