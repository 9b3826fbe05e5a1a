//! `jina-bert-v2`: Jina Embeddings 2: BERT with ALiBi and GEGLU; that for code normalizes more.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::own("jina-bert-v2", |file, hp| {
    let model = super::bert::encoder(file, hp, |at, hp| {
        let norm = NormSpec::layer(at, hp)?;
        let attention = AttentionSpec {
            alibi_max_bias: Some(8.0),
            qk_norm: at.has("attn_q_norm.weight").then(|| QkNorm::whole(norm)),
            ..AttentionSpec::causal(at, hp)?
        };
        PostNormLayer::load(at, hp, attention, Dense::load(at, feed_forward(at, hp)?)?)
    })?;
    Ok(Box::new(Encoder { classifier: Classifier::load(file, hp, Unary::Tanh)?, ..model }))
});

/// The gate has a matrix of its own, or half of that of `ffn_up`, or there is none.
fn feed_forward(at: &Source<'_>, hp: &Hparams) -> Result<FfnSpec> {
    let spec = FfnSpec::plain(at, hp, Unary::Gelu)?;
    Ok(if at.has("ffn_gate.weight") {
        FfnSpec { gate: Gate::Own, ..spec }
    } else if at.extent("ffn_up.weight", 1)? != spec.n_ff {
        FfnSpec { gate: Gate::InUp, ..spec }
    } else {
        spec
    })
}
