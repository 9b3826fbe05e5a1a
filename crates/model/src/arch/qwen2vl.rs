//! `qwen2vl`: the text model of Qwen2-VL and 2.5-VL. On text, its three axes of positions are one.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::own("qwen2vl", |file, hp| {
    hp.norm_eps.rms.get_or_insert(0.0);
    file.ignore("output.bias", "the reference engine does not add it");
    super::qwen2::ARCH.load(file, hp)
});
