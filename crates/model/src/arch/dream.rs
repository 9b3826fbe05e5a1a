//! `dream`: Dream, a diffusion model: Qwen 2 where every token sees all others.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch { name: "dream", ..super::qwen2::ARCH }.bidirectional().head(|at, hp| {
    at.ignore("output.bias", "the reference engine does not add it");
    Head::load(at, hp, NormSpec::rms(at, hp)?)
});
