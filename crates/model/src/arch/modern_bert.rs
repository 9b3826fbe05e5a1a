//! `modern-bert`: ModernBERT, Granite Embedding R2: norms of inputs, two window layers to a full one. Also rerankers.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::own("modern-bert", |file, hp| {
    hp.causal = false;
    let norm = NormSpec::layer(file, hp)?;
    Ok(Box::new(Encoder {
        embedding: Embedding::load(file, hp)?
            .normed(Norm::load(file, "token_embd_norm", norm, hp.n_embd)?),
        layers: file.layers(hp.n_layer, |at| Ok(layer(at, hp, norm)?.into()))?,
        norm: Some(Norm::load(file, "output_norm", norm, hp.n_embd)?),
        projections: Vec::new(),
        classifier: classifier(file, hp)?,
    }))
});

/// On the mean of all tokens, unless the file says that it is on the first.
fn classifier(file: &Source<'_>, hp: &Hparams) -> Result<Option<Classifier>> {
    const MEAN: u32 = 1;
    let classifier = Classifier::load(file, hp, Unary::Gelu)?;
    match (classifier, file.get_or("classifier.pooling_type", MEAN)?) {
        (Some(classifier), MEAN) => classifier.of_mean(file, hp).map(Some),
        (classifier, _) => Ok(classifier),
    }
}

fn layer(at: &Source<'_>, hp: &Hparams, norm: NormSpec) -> Result<Layer> {
    let mut spec = AttentionSpec::neox(at, hp)?;
    if let Some(window) = Window::load(at, hp, 3, Full::First)? {
        spec = window.narrow_unscaled(at, spec);
    }
    let activation = match at.get_or("hidden_activation", "gelu")? {
        "gelu" | "geglu" => Activation::GELU,
        "silu" | "swish" | "swiglu" => Activation::SILU,
        "reglu" => Activation::Unary(Unary::Relu),
        other => {
            let problem = "is not one of gelu, silu, reglu";
            return Err(Error::value(&at.full_key("hidden_activation"), other, problem));
        }
    };
    let ffn = FfnSpec { gate: Gate::InUp, activation, ..FfnSpec::swiglu(at, hp)? };
    // The first layer reads the embedding, which is normalized already.
    let norms = Norms { mixer: at.has("attn_norm.weight").then_some("attn_norm"), ..Norms::PRE };
    Layer::load(at, hp, (norms, norm), Attention::load(at, spec)?, Dense::load(at, ffn)?)
}
