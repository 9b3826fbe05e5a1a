//! `plamo`: PLaMo 13B: Llama with the feed-forward beside the attention.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("plamo", |at, hp| {
    let attention = Attention::load(at, AttentionSpec::neox(at, hp)?)?;
    let ffn = Dense::load(at, FfnSpec::swiglu(at, hp)?)?;
    Ok(Layer::load(at, hp, (Norms::SHARED, NormSpec::rms(at, hp)?), attention, ffn)?.parallel())
});
