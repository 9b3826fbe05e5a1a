//! `gemma2`: Gemma 2: norms of inputs and outputs, bounded scores and logits, every second layer a window.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("gemma2", |at, hp| {
    let mut spec = AttentionSpec::neox(at, hp)?;
    spec.softcap = Some(at.get_or("attn_logit_softcapping", 50.0)?).filter(|&cap| cap != 0.0);
    if hp.n_layer == 46 {
        // The 27B model divides by the root of the embedding's share of a head.
        spec.scale = 1.0 / ((hp.n_embd / spec.n_head.max(1)) as f32).sqrt();
    }
    let n_window = at.get("attention.sliding_window")?.unwrap_or(4096);
    spec = Window::of(at, hp, n_window, 2, Full::Last)?.narrow(at, spec);
    let ffn = Dense::load(at, FfnSpec { activation: Activation::GELU, ..FfnSpec::swiglu(at, hp)? })?;
    Layer::load(at, hp, (Norms::SANDWICH, NormSpec::rms(at, hp)?), Attention::load(at, spec)?, ffn)
})
.embedding(super::gemma::embedding)
.head(|at, hp| {
    let head = Head::load(at, hp, NormSpec::rms(at, hp)?)?;
    Ok(head.softcapped(at.get_or("final_logit_softcapping", 30.0)?))
});
