//! `openelm`: OpenELM: heads and widths differ from layer to layer.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("openelm", |at, hp| {
    at.ignore("attn_qkv.scale", "the reference engine does not apply it");
    Layer::llama(at, hp, super::qwen3::attention(at, hp)?)
});
