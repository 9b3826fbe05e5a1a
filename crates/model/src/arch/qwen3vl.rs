//! `qwen3vl`: the text model of Qwen3-VL. On text, its three axes of positions are one.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch { name: "qwen3vl", ..super::qwen3::ARCH }.scales(Scales::MIXER);
