//! `glm4`: GLM-4-0414, GLM-Z1: norms of inputs and outputs, gate and up in one matrix.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("glm4", |at, hp| {
    // Models that see have three axes of positions, which are one on text, and rotate halves.
    let sees = at.get::<Vec<i32>>("rope.dimension_sections")?.is_some();
    let spec = if sees { AttentionSpec::neox(at, hp)? } else { AttentionSpec::interleaved(at, hp)? };
    let attention = Attention::load(at, spec)?;
    let ffn = Dense::load(at, FfnSpec { gate: Gate::InUp, ..FfnSpec::swiglu(at, hp)? })?;
    Layer::load(at, hp, (Norms::SANDWICH, NormSpec::rms(at, hp)?), attention, ffn)
});
