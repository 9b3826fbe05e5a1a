//! `minicpm`: MiniCPM: Granite with scales of its own.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("minicpm", |at, hp| {
    let spec = AttentionSpec::interleaved(at, hp)?;
    let norms = (Norms::PRE, NormSpec::rms(at, hp)?);
    let layer = Layer::load(at, hp, norms, Attention::load(at, spec)?, MoeSpec::mixtral_or_dense(at, hp)?)?;
    Ok(layer.residual_scaled(at.get_or("residual_scale", 1.4 / (hp.n_layer as f32).sqrt())?))
})
.embedding(|at, hp| Ok(Embedding::load(at, hp)?.scaled(at.get_or("embedding_scale", 12.0)?)))
.head(|at, hp| {
    let scale: f32 = at.get_or("logit_scale", 256.0 / hp.n_embd as f32)?;
    Ok(Head::load(at, hp, NormSpec::rms(at, hp)?)?.scaled(1.0 / scale))
});
