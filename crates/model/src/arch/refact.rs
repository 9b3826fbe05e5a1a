//! `refact`: Refact: Llama with ALiBi.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("refact", |at, hp| {
    at.root().ignore("rope_freqs.weight", "nothing is rotated");
    let spec = AttentionSpec { alibi_max_bias: Some(8.0), ..AttentionSpec::causal(at, hp)? };
    let ffn = MoeSpec::mixtral_or_dense(at, hp)?;
    Layer::load(at, hp, (Norms::PRE, NormSpec::rms(at, hp)?), Attention::load(at, spec)?, ffn)
});
