//! `mamba2`: Mamba-2, Codestral Mamba.

use crate::blocks::*;

pub(super) const ARCH: Arch =
    Arch::decoder("mamba2", |at, hp| Layer::single(at, hp, ("attn_norm", NormSpec::rms(at, hp)?), Mamba2::load(at, hp)?));
