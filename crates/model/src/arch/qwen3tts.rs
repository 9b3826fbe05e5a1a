//! `qwen3tts`: the talker of Qwen3-TTS: Qwen3-VL under another name.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch { name: "qwen3tts", ..super::qwen3::ARCH }.scales(Scales::MIXER);
