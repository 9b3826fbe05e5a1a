//! `gpt-oss`: gpt-oss: attention sinks, every second layer a window, biased experts with a clamped gate.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("gpt-oss", |at, hp| {
    let mut spec = AttentionSpec::neox(at, hp)?;
    if let Some(window) = Window::load(at, hp, 2, Full::Last)? {
        spec = window.narrow(at, spec);
    }
    let moe =
        MoeSpec { score: Score::SoftmaxOfChosen, activation: Activation::SwigluOai, normalize: false, ..MoeSpec::softmax(at, hp)? };
    let norms = (Norms::PRE_RENAMED, NormSpec::rms(at, hp)?);
    Layer::load(at, hp, norms, Attention::load(at, spec)?, Moe::load(at, moe)?)
});
