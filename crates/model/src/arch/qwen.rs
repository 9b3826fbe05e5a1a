//! `qwen`: the first Qwen. The file gives the width of gate and up together.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("qwen", |at, hp| {
    let ffn = FfnSpec::swiglu(at, hp)?;
    let ffn = FfnSpec { n_ff: ffn.n_ff / 2, ..ffn };
    Layer::dense(at, hp, NormSpec::rms(at, hp)?, AttentionSpec::neox(at, hp)?, ffn)
});
