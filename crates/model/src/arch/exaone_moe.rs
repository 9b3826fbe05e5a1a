//! `exaone-moe`: K-EXAONE: windows with positions and full layers without, experts chosen as in DeepSeek-V3.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("exaone-moe", |at, hp| {
    let mut spec = super::qwen3::attention(at, hp)?;
    let window = Window::of(at, hp, at.get_or("attention.sliding_window", 128)?, 4, Full::Last)?;
    spec = window.mask(at, spec);
    if !window.covers(at) {
        spec.rope = None;
    }
    let moe = MoeSpec::by_keys(at, hp, Score::Softmax)?.behind_dense(at, hp)?;
    Layer::load(at, hp, (Norms::PRE, NormSpec::rms(at, hp)?), Attention::load(at, spec)?, moe)
});
