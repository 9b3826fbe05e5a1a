//! `neo-bert`: NeoBERT: Llama's layers with gate and up in one matrix, where every token sees all others.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::own("neo-bert", |file, hp| {
    hp.causal = false;
    let norm = NormSpec::rms(file, hp)?;
    let layer = |at: &Source<'_>| {
        let ffn = FfnSpec { gate: Gate::InUp, ..FfnSpec::swiglu(at, hp)? };
        Ok(Layer::dense(at, hp, norm, AttentionSpec::interleaved(at, hp)?, ffn)?.into())
    };
    Ok(Box::new(Encoder {
        embedding: Embedding::load(file, hp)?,
        layers: file.layers(hp.n_layer, layer)?,
        norm: Some(Norm::load(file, "enc.output_norm", norm, hp.n_embd)?),
        projections: Vec::new(),
        classifier: Classifier::load(file, hp, Unary::Tanh)?,
    }))
});
