//! `laguna`: Laguna (Poolside): attention gated by softplus, three window layers to a full one, experts.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("laguna", |at, hp| {
    let mut spec = AttentionSpec { gate: Some(Unary::Softplus), ..super::qwen3::attention(at, hp)? };
    let window = Window::load(at, hp, 4, Full::First)?;
    if let Some(window) = window.filter(|window| window.covers(at)) {
        let rope = Rope::plain(RopeOrder::Neox, at.get_or("rope.dimension_count_swa", hp.rope.n_rot)?, hp.rope.freq_base);
        spec = window.narrow(at, AttentionSpec { rope: Some(rope), ..spec });
    }
    let moe = MoeSpec::by_keys(at, hp, Score::Sigmoid)?;
    let n_ff_shared = if moe.n_ff_shared == 0 { moe.n_ff } else { moe.n_ff_shared };
    let ffn = MoeSpec { n_ff_shared, ..moe }.behind_dense(at, hp)?;
    Layer::load(at, hp, (Norms::PRE, NormSpec::rms(at, hp)?), Attention::load(at, spec)?, ffn)
});
