//! `qwen3vlmoe`: the text model of Qwen3-VL with experts. On text, its three axes of positions are one.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch { name: "qwen3vlmoe", ..super::qwen3moe::ARCH }.scales(Scales::MIXER);
