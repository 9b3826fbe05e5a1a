//! `llama`: Llama 1 to 3, Mistral, TinyLlama, SmolLM; Mixtral when the file has experts.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("llama", layer).scales(Scales::ALL);

pub(super) fn layer(at: &Source<'_>, hp: &Hparams) -> Result<Layer> {
    let attention = AttentionSpec::interleaved(at, hp)?;
    let ffn = MoeSpec::mixtral_or_dense(at, hp)?;
    Layer::load(at, hp, (Norms::PRE, NormSpec::rms(at, hp)?), Attention::load(at, attention)?, ffn)
}
