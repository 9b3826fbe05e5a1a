//! `openelm`: OpenELM: heads and widths differ from layer to layer.

use crate::blocks::*;

pub(super) const ARCH: Arch = 
    Arch::decoder("openelm", |at, hp| Layer::llama(at, hp, super::qwen3::attention(at, hp)?));
