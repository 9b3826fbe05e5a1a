//! `minimax-m2`: MiniMax M2: experts by sigmoid scores, all queries and keys normalized as one.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("minimax-m2", |at, hp| {
    let norm = NormSpec::rms(at, hp)?;
    let spec = AttentionSpec { qk_norm: Some(QkNorm::whole(norm)), ..AttentionSpec::neox(at, hp)? };
    let moe = MoeSpec { score: Score::of(at, Score::Sigmoid)?, ..MoeSpec::softmax(at, hp)? };
    Layer::load(at, hp, (Norms::PRE, norm), Attention::load(at, spec)?, Moe::load(at, moe)?)
});
