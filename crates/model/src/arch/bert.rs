//! `bert`: BERT, RoBERTa, XLM-R, BGE, E5 (Devlin et al. 2019): learned positions, norms of sums. Also rerankers.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::own("bert", |file, hp| {
    let model = encoder(file, hp, |at, hp| layer(at, hp, FfnSpec::plain(at, hp, Unary::Gelu)?))?;
    let embedding = model.embedding.with_positions(file, hp)?;
    Ok(Box::new(Encoder { embedding, classifier: Classifier::load(file, hp, Unary::Tanh)?, ..model }))
});

/// BERT without positions: the embedding of tokens and their type, a norm, layers.
pub(super) fn encoder<L>(file: &Source<'_>, hp: &mut Hparams, layer: L) -> Result<Encoder>
where
    L: Fn(&Source<'_>, &Hparams) -> Result<PostNormLayer>,
{
    hp.causal = false;
    let norm = Norm::load(file, "token_embd_norm", NormSpec::layer(file, hp)?, hp.n_embd)?;
    Ok(Encoder {
        embedding: Embedding::load(file, hp)?.with_type(file, hp)?.normed(norm),
        layers: file.layers(hp.n_layer, |at| Ok(layer(at, hp)?.into()))?,
        norm: None,
        projections: Vec::new(),
        classifier: None,
    })
}

fn layer(at: &Source<'_>, hp: &Hparams, ffn: FfnSpec) -> Result<PostNormLayer> {
    PostNormLayer::load(at, hp, AttentionSpec::causal(at, hp)?, Dense::load(at, ffn)?)
}
