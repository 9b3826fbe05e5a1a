//! `plamo3`: PLaMo 3: norms of inputs and outputs, windows, fused matrices.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("plamo3", |at, hp| {
    at.ignore("attn_qkv.scale", "the reference engine does not apply it");
    let mut spec = super::qwen3::attention(at, hp)?;
    if let Some(window) = Window::load(at, hp, 8, Full::Last)? {
        spec = window.narrow_unscaled(at, spec);
    }
    let ffn = Dense::load(at, FfnSpec { gate: Gate::InUp, ..FfnSpec::swiglu(at, hp)? })?;
    Layer::load(at, hp, (Norms::SANDWICH, NormSpec::rms(at, hp)?), Attention::load(at, spec)?, ffn)
});
