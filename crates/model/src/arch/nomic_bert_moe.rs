//! `nomic-bert-moe`: Nomic Embed 2: BERT with rotated halves and experts in every few layers.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::own("nomic-bert-moe", |file, hp| {
    Ok(Box::new(super::bert::encoder(file, hp, |at, hp| {
        let period: usize = at.get_or("moe_every_n_layers", 0)?;
        let ffn: Box<dyn Block> = if period > 0 && at.index() % period == 1 {
            let spec = MoeSpec { gate: Gate::None, activation: Activation::GELU, ..MoeSpec::softmax(at, hp)? };
            Moe::load(at, MoeSpec { normalize: false, ..spec })?.into()
        } else {
            Dense::load(at, FfnSpec::plain(at, hp, Unary::Gelu)?)?.into()
        };
        PostNormLayer::load(at, hp, AttentionSpec::neox(at, hp)?, ffn)
    })?))
});
