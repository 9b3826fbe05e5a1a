//! `qwen35moe`: Qwen 3.5 and 3.6 with experts.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("qwen35moe", |at, hp| {
    let moe = MoeSpec::softmax(at, hp)?.with_shared(at)?.where_routed(at, hp)?;
    super::qwen3next::layer(at, hp, KeyHeads::Tiled, moe)
})
.scales(Scales::EXPERTS);
