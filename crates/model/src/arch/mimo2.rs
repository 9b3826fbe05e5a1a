//! `mimo2`: MiMo V2 Flash: windows with sinks, values of another length than keys, experts by sigmoid scores.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("mimo2", |at, hp| {
    for part in ["attn_q", "attn_k", "attn_v", "attn_qkv"] {
        at.ignore_each(&[&format!("{part}.scale"), &format!("{part}.bias")], "the reference engine does not apply it");
    }
    let window = Window::of(at, hp, at.require("attention.sliding_window")?, 0, Full::Last)?;
    let attention = Attention::load(at, window.narrow_unscaled(at, AttentionSpec::neox(at, hp)?))?;
    let attention = Scaled { attention, scale: at.get_or("attention.value_scale", 1.0)? };
    let ffn = MoeSpec { score: Score::Sigmoid, ..MoeSpec::softmax(at, hp)? }.where_routed(at, hp)?;
    Layer::load(at, hp, (Norms::PRE, NormSpec::rms(at, hp)?), attention, ffn)
});

#[derive(Debug)]
struct Scaled {
    attention: Attention,
    /// Of values; the projection of the result is linear, so it may follow that.
    scale: f32,
}

impl Block for Scaled {
    fn forward<'g>(&self, step: &Step<'g>, x: Tensor<'g>) -> Tensor<'g> {
        self.attention.forward(step, x).scale(self.scale)
    }
}
