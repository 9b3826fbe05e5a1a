//! `qwen35`: Qwen 3.5 and 3.6: Qwen 3 Next without experts. On text, its axes of positions are one.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("qwen35", |at, hp| {
    let ffn = Dense::load(at, FfnSpec::swiglu(at, hp)?)?;
    super::qwen3next::layer(at, hp, KeyHeads::Tiled, ffn.into())
})
.scales(Scales::FFN);
