//! `phimoe`: Phi 3.5 MoE: layer norms, experts, rotary factors for long contexts.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("phimoe", |at, hp| {
    let attention = Attention::load(at, AttentionSpec::neox(at, hp)?)?;
    let moe = Moe::load(at, MoeSpec::softmax(at, hp)?)?;
    Layer::load(at, hp, (Norms::PRE, NORM), attention, moe)
})
.head(|at, hp| Head::load(at, hp, NORM));

/// Files give no epsilon for layer norms; the reference engine takes this.
const NORM: NormSpec = NormSpec { kind: NormKind::Layer, eps: 0.0 };
