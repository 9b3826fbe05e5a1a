//! `afmoe`: Trinity (Arcee): gated attention, windows with positions and full layers without, experts.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("afmoe", |at, hp| {
    let mut spec = AttentionSpec { gate: Some(Unary::Sigmoid), ..super::qwen3::attention(at, hp)? };
    if let Some(window) = Window::load(at, hp, 4, Full::Last)? {
        spec = window.narrow(at, spec);
    }
    if at.index() % 4 == 3 {
        spec.rope = None;
    }
    let moe = MoeSpec::by_keys(at, hp, Score::Sigmoid)?.behind_dense(at, hp)?;
    Layer::load(at, hp, (Norms::SANDWICH, NormSpec::rms(at, hp)?), Attention::load(at, spec)?, moe)
})
.embedding(super::gemma::embedding);
