//! `gemma3`: norms of inputs and outputs, GEGLU, normalized queries and keys, five window layers to a full one.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("gemma3", layer)
    .embedding(|at, hp| Ok(Embedding::load(at, hp)?.scaled((hp.n_embd as f32).sqrt())))
    .head(|at, hp| {
        let head = Head::load(at, hp, NormSpec::rms(at, hp)?)?;
        Ok(head.softcapped(at.get_or("final_logit_softcapping", 0.0)?))
    });

fn layer(at: &Source<'_>, hp: &Hparams) -> Result<Layer> {
    let norm = NormSpec::rms(at, hp)?;
    let mut spec = AttentionSpec { qk_norm: Some(QkNorm::head(norm)), ..AttentionSpec::neox(at, hp)? };
    if hp.n_layer == 62 {
        // The 27B model divides by the root of the embedding's share of a head.
        spec.scale = 1.0 / ((hp.n_embd / spec.n_head.max(1)) as f32).sqrt();
    }
    if let Some(window) = Window::load(at, hp, 6, Full::Last)? {
        spec = window.narrow_unscaled(at, spec);
    }
    let ffn = FfnSpec { activation: Activation::GELU, ..FfnSpec::swiglu(at, hp)? };
    Layer::load(at, hp, (Norms::SANDWICH, norm), Attention::load(at, spec)?, Dense::load(at, ffn)?)
}
