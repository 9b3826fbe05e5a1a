//! `glm4moe`: GLM-4.5 to 4.7: experts chosen as in DeepSeek-V3; some normalize heads.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("glm4moe", |at, hp| {
    let norm = NormSpec::rms(at, hp)?;
    let qk_norm = at.has("attn_q_norm.weight").then(|| QkNorm::head(norm));
    let attention = Attention::load(at, AttentionSpec { qk_norm, ..AttentionSpec::neox(at, hp)? })?;
    let moe = MoeSpec::by_keys(at, hp, Score::Sigmoid)?.behind_dense(at, hp)?;
    Layer::load(at, hp, (Norms::PRE_RENAMED, norm), attention, moe)
});
