//! `gemma-embedding`: EmbeddingGemma: Gemma 3 where every token sees both ways, and two projections of the result.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::own("gemma-embedding", |file, hp| {
    hp.causal = false;
    let norm = NormSpec::rms(file, hp)?;
    file.ignore("output.weight", "an encoder predicts no tokens");
    Ok(Box::new(Encoder {
        embedding: super::gemma::embedding(file, hp)?,
        layers: file.layers(hp.n_layer, |at| Ok(layer(at, hp, norm)?.into()))?,
        norm: Some(Norm::load(file, "output_norm", norm, hp.n_embd)?),
        projections: projections(file, hp)?,
        classifier: None,
    }))
});

fn layer(at: &Source<'_>, hp: &Hparams, norm: NormSpec) -> Result<Layer> {
    let spec = AttentionSpec { qk_norm: Some(QkNorm::head(norm)), ..AttentionSpec::neox(at, hp)? };
    let window = Window::of(at, hp, at.require("attention.sliding_window")?, 6, Full::Last)?;
    let spec = window.narrow_unscaled(at, spec);
    let ffn = FfnSpec { activation: Activation::GELU, ..FfnSpec::swiglu(at, hp)? };
    Layer::load(at, hp, (Norms::SANDWICH, norm), Attention::load(at, spec)?, Dense::load(at, ffn)?)
}

/// They follow the mean of all tokens; being linear, they may as well precede it.
fn projections(file: &Source<'_>, hp: &mut Hparams) -> Result<Vec<Linear>> {
    let mut n = hp.n_embd;
    let mut linears = Vec::new();
    for (name, key) in [("dense_2", "dense_2_feat_out"), ("dense_3", "dense_3_feat_out")] {
        if file.has(&format!("{name}.weight")) {
            let n_out = file.extent_opt(key)?.unwrap_or(hp.n_embd);
            linears.push(Linear::load(file, name, n, n_out)?);
            n = n_out;
        }
    }
    hp.n_embd_out = n;
    Ok(linears)
}
