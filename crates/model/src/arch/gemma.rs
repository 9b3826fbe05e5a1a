//! `gemma`: Gemma 1, CodeGemma: a scaled embedding, GEGLU.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("gemma", |at, hp| {
    let ffn = FfnSpec { activation: Activation::GELU, ..FfnSpec::swiglu(at, hp)? };
    Layer::dense(at, hp, NormSpec::rms(at, hp)?, AttentionSpec::neox(at, hp)?, ffn)
})
.embedding(embedding);

/// Multiplied by the root of its width.
pub(super) fn embedding(at: &Source<'_>, hp: &Hparams) -> Result<Embedding> {
    Ok(Embedding::load(at, hp)?.scaled((hp.n_embd as f32).sqrt()))
}
