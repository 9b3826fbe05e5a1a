//! `hunyuan-moe`: Hunyuan A13B: experts with one that is shared, heads normalized after they are rotated.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("hunyuan-moe", |at, hp| {
    let attention = Attention::load(at, super::hunyuan_dense::attention(at, hp)?)?;
    let moe = Moe::load(at, MoeSpec::softmax(at, hp)?.with_shared(at)?)?;
    Layer::load(at, hp, (Norms::PRE, NormSpec::rms(at, hp)?), attention, moe)
});
