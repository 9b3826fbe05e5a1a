//! `plamo3`: PLaMo 3: norms of inputs and outputs, windows, fused matrices.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("plamo3", |at, hp| {
    let mut spec = super::qwen3::attention(at, hp)?;
    if let Some(window) = Window::load(at, hp, 8, Full::Last)?.filter(|window| window.covers(at)) {
        spec = window.narrow(at, spec);
        spec.rope = spec.rope.map(|rope| rope.unscaled(window.freq_base));
    }
    let ffn = Dense::load(at, FfnSpec { gate: Gate::InUp, ..FfnSpec::swiglu(at, hp)? })?;
    Layer::load(at, hp, (Norms::SANDWICH, NormSpec::rms(at, hp)?), Attention::load(at, spec)?, ffn)
});
