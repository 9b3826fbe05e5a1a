//! `olmoe`: OLMoE: experts whose weights do not sum to 1, all queries and keys normalized as one.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("olmoe", |at, hp| {
    let norm = NormSpec::rms(at, hp)?;
    let spec = AttentionSpec { qk_norm: Some(QkNorm::whole(norm)), ..AttentionSpec::neox(at, hp)? };
    let moe = Moe::load(at, MoeSpec { normalize: false, ..MoeSpec::softmax(at, hp)? })?;
    Layer::load(at, hp, (Norms::PRE, norm), Attention::load(at, spec)?, moe)
});
