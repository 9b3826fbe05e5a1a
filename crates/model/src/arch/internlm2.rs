//! `internlm2`: InternLM 2 and 2.5: Llama under another name.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("internlm2", |at, hp| Layer::llama(at, hp, AttentionSpec::interleaved(at, hp)?));
