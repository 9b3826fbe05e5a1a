//! `exaone4`: EXAONE 4: norms of what blocks give out; where there are windows, only their layers have positions.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("exaone4", |at, hp| {
    let norm = NormSpec::rms(at, hp)?;
    let mut spec = super::qwen3::attention(at, hp)?;
    if let Some(window) = Window::load(at, hp, 4, Full::Last)? {
        spec = window.mask(at, spec);
        if !window.covers(at) {
            spec.rope = None;
        }
    }
    let ffn = Dense::load(at, FfnSpec::swiglu(at, hp)?)?;
    Layer::load(at, hp, (Norms::POST, norm), Attention::load(at, spec)?, ffn)
});
