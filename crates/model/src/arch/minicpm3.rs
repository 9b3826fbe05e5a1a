//! `minicpm3`: MiniCPM 3: latent attention in full, MiniCPM's scales.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("minicpm3", |at, hp| {
    let attention = MlaSpec { rope: Some(Rope::neox(at, hp)?), ..MlaSpec::load(at, hp)? };
    let ffn = Dense::load(at, FfnSpec::swiglu(at, hp)?)?;
    let norms = (Norms::PRE, NormSpec::rms(at, hp)?);
    let layer = Layer::load(at, hp, norms, Mla::load(at, attention)?, ffn)?;
    Ok(layer.residual_scaled(1.4 / (hp.n_layer as f32).sqrt()))
})
.embedding(|at, hp| Ok(Embedding::load(at, hp)?.scaled(12.0)))
.head(|at, hp| Ok(Head::load(at, hp, NormSpec::rms(at, hp)?)?.scaled(256.0 / hp.n_embd as f32)));
