//! `qwen3`: Qwen2's layers with each head of queries and keys normalized.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("qwen3", |at, hp| Layer::llama(at, hp, attention(at, hp)?))
    .head(head)
    .scales(Scales::FFN);

/// Rotated halves behind norms of each head.
pub(super) fn attention(at: &Source<'_>, hp: &Hparams) -> Result<AttentionSpec> {
    let qk_norm = Some(QkNorm::head(NormSpec::rms(at, hp)?));
    Ok(AttentionSpec { qk_norm, ..AttentionSpec::neox(at, hp)? })
}

/// With the classifier of rerankers.
pub(super) fn head(at: &Source<'_>, hp: &Hparams) -> Result<Head> {
    let classifier = Classifier::load(at, hp, Unary::Tanh)?.map(Classifier::softmax);
    Ok(Head::load(at, hp, NormSpec::rms(at, hp)?)?.classified(classifier))
}
