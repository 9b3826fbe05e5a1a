//! `llama`: Llama 1 to 3, Mistral, TinyLlama, SmolLM; Mixtral when the file has experts.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("llama", layer).scales(Scales::ALL);

pub(super) fn layer(at: &Source<'_>, hp: &Hparams) -> Result<Layer> {
    let attention = AttentionSpec::interleaved(at, hp)?;
    let scale = at.get("attention.scale")?.filter(|&s| s != 0.0).unwrap_or(attention.scale);
    let attention = Attention::load(at, AttentionSpec { scale, ..attention })?;
    let ffn = if hp.n_expert > 0 {
        Ffn::Moe(Moe::load(at, MoeSpec::softmax(at, hp)?)?)
    } else {
        Ffn::dense(at, FfnSpec::swiglu(at, hp)?)?
    };
    Layer::load(at, hp, (Norms::PRE, NormSpec::rms(at, hp)?), attention, ffn)
}
