//! `phi3`: Phi 3 and 4: Llama with fused matrices and rotary factors for long contexts.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("phi3", |at, hp| {
    let attention = Attention::load(at, AttentionSpec::neox(at, hp)?)?;
    let ffn: Box<dyn Block> = if hp.n_expert == 0 {
        Dense::load(at, FfnSpec { gate: Gate::InUp, ..FfnSpec::swiglu(at, hp)? })?.into()
    } else {
        Moe::load(at, MoeSpec::softmax(at, hp)?)?.into()
    };
    Layer::load(at, hp, (Norms::PRE, NormSpec::rms(at, hp)?), attention, ffn)
});
