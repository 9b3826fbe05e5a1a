//! `muse-glimmer`: Muse Glimmer: gated attention, norms of inputs and outputs; only window layers have positions.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("muse-glimmer", |at, hp| {
    let norm = NormSpec::rms(at, hp)?;
    let qk_norm = Some(QkNorm::head(norm));
    let mut spec = AttentionSpec { gate: Some(Unary::Sigmoid), qk_norm, ..AttentionSpec::interleaved(at, hp)? };
    let window = Window::of(at, hp, at.require("attention.sliding_window")?, 4, Full::Last)?;
    spec = window.narrow(at, spec);
    spec.rope = spec.rope.filter(|_| window.covers(at)).map(|rope| rope.unscaled(rope.table.freq_base));
    let ffn = Dense::load(at, FfnSpec::swiglu(at, hp)?)?;
    let layer = Layer::load(at, hp, (Norms::PRE, norm), Attention::load(at, spec)?, ffn)?;
    layer.post_normed(at, hp, NormSpec { eps: 1e-8, ..norm })
})
.embedding(|at, hp| Ok(Embedding::load(at, hp)?.normed(Norm::bare(NormSpec::rms(at, hp)?))))
.head(|at, hp| {
    let head = Head::load(at, hp, NormSpec::rms(at, hp)?)?.scaled(at.require("logit_scale")?);
    Ok(head.softcapped(at.get_or("final_logit_softcapping", 30.0)?))
});
