//! `ernie4_5`: ERNIE 4.5 without experts: Llama under another name.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("ernie4_5", |at, hp| {
    at.ignore("attn_output.bias", "the reference engine does not add it");
    Layer::llama(at, hp, AttentionSpec::interleaved(at, hp)?)
});
