//! `glm4`: GLM-4-0414, GLM-Z1: norms of inputs and outputs, gate and up in one matrix.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("glm4", |at, hp| {
    let attention = Attention::load(at, AttentionSpec::interleaved(at, hp)?)?;
    let ffn = Dense::load(at, FfnSpec { gate: Gate::InUp, ..FfnSpec::swiglu(at, hp)? })?;
    Layer::load(at, hp, (Norms::SANDWICH, NormSpec::rms(at, hp)?), attention, ffn)
});
