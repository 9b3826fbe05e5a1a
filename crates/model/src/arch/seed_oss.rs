//! `seed_oss`: Seed-OSS: the norm of the feed-forward has the name of another.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("seed_oss", |at, hp| {
    let attention = Attention::load(at, AttentionSpec::neox(at, hp)?)?;
    let ffn = Dense::load(at, FfnSpec::swiglu(at, hp)?)?;
    Layer::load(at, hp, (Norms::PRE_RENAMED, NormSpec::rms(at, hp)?), attention, ffn)
});
