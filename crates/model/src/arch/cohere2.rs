//! `cohere2`: Command R7B, Command A: Command R with windows; only window layers have positions.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("cohere2", |at, hp| {
    let mut spec = AttentionSpec::interleaved(at, hp)?;
    match Window::load(at, hp, 4, Full::Last)? {
        Some(window) if window.covers(at) => spec = window.mask(at, spec),
        _ => spec.rope = None,
    }
    let ffn = Dense::load(at, FfnSpec::swiglu(at, hp)?)?;
    let norms = (Norms::SHARED, NormSpec::layer(at, hp)?);
    Ok(Layer::load(at, hp, norms, Attention::load(at, spec)?, ffn)?.parallel())
})
.head(super::command_r::head)
.scales(Scales::FFN);
