//! `mamba`: Mamba, and Falcon-Mamba, which normalizes what selects.

use crate::blocks::*;

pub(super) const ARCH: Arch =
    Arch::decoder("mamba", |at, hp| Layer::single(at, hp, ("attn_norm", NormSpec::rms(at, hp)?), Mamba::load(at, hp)?));
