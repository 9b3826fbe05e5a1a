//! `maple`: Maple: windows with positions and full layers without, experts with a clamped gate.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("maple", |at, hp| {
    let mut spec = super::qwen3::attention(at, hp)?;
    let window = Window::of(at, hp, at.require("attention.sliding_window")?, 0, Full::Last)?;
    spec = window.narrow(at, spec);
    if !window.covers(at) {
        spec.rope = None;
    }
    let limits = at.per_layer::<f32>("swiglu_clamp_exp", hp.n_layer_all())?.unwrap_or_default();
    let limit = limits.get(at.index()).copied().filter(|&limit| limit > 0.0);
    let activation = limit.map_or(Activation::SILU, |limit| Activation::ClampedSilu { limit });
    let moe = Moe::load(at, MoeSpec { activation, ..MoeSpec::softmax(at, hp)? })?;
    Layer::load(at, hp, (Norms::PRE, NormSpec::rms(at, hp)?), Attention::load(at, spec)?, moe)
});
