//! `jina-bert-v3`: Jina Embeddings 3: BERT with rotated halves.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::own("jina-bert-v3", |file, hp| {
    Ok(Box::new(super::bert::encoder(file, hp, |at, hp| {
        let ffn = Dense::load(at, FfnSpec::plain(at, hp, Unary::Gelu)?)?;
        PostNormLayer::load(at, hp, AttentionSpec::neox(at, hp)?, ffn)
    })?))
});
