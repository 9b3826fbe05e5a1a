//! `qwen2`: Llama's decoder with rotated halves; its biases load by themselves.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("qwen2", |at, hp| Layer::llama(at, hp, AttentionSpec::neox(at, hp)?));
