//! `paddleocr`: the text model of PaddleOCR-VL: ERNIE 4.5 under another name.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch { name: "paddleocr", ..super::ernie4_5::ARCH };
