//! `paddleocr`: the text model of PaddleOCR-VL. On text, its three axes of positions are one.

use crate::blocks::*;

pub(super) const ARCH: Arch =
    Arch::decoder("paddleocr", |at, hp| Layer::llama(at, hp, AttentionSpec::neox(at, hp)?));
