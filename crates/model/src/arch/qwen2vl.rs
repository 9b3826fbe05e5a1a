//! `qwen2vl`: the text model of Qwen2-VL and 2.5-VL. On text, its three axes of positions are one.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch { name: "qwen2vl", ..super::qwen2::ARCH };
