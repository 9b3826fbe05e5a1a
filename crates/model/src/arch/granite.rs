//! `granite`: Granite 3 and 4: Llama or Mixtral with scaled embedding, residuals, scores and logits.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("granite", |at, hp| layer(at, hp, attention(at, hp)?))
    .embedding(|at, hp| Ok(Embedding::load(at, hp)?.scaled(scale(at, "embedding_scale")?)))
    .head(head);

pub(super) fn head(at: &Source<'_>, hp: &Hparams) -> Result<Head> {
    Ok(Head::load(at, hp, NormSpec::rms(at, hp)?)?.scaled(1.0 / scale(at, "logit_scale")?))
}

pub(super) fn layer(at: &Source<'_>, hp: &Hparams, attention: AttentionSpec) -> Result<Layer> {
    let attention = Attention::load(at, attention)?;
    let norms = (Norms::PRE, NormSpec::rms(at, hp)?);
    let layer = Layer::load(at, hp, norms, attention, MoeSpec::mixtral_or_dense(at, hp)?)?;
    Ok(layer.residual_scaled(scale(at, "residual_scale")?))
}

/// Some models have no positions.
pub(super) fn attention(at: &Source<'_>, hp: &Hparams) -> Result<AttentionSpec> {
    let spec = if at.get_or("rope.scaling.finetuned", true)? {
        AttentionSpec::interleaved(at, hp)?
    } else {
        Rope::ignore_factors(at);
        AttentionSpec::causal(at, hp)?
    };
    spec.with_file_scale(at)
}

/// A factor that 0 leaves out.
pub(super) fn scale(at: &Source<'_>, key: &str) -> Result<f32> {
    Ok(at.get(key)?.filter(|&scale| scale != 0.0).unwrap_or(1.0))
}
