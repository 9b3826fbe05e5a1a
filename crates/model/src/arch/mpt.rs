//! `mpt`: MPT: ALiBi or learned positions, bounded queries, keys and values.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("mpt", |at, hp| {
    let norm = NormSpec::layer(at, hp)?;
    let attention = AttentionSpec {
        alibi_max_bias: at.get("attention.max_alibi_bias")?.filter(|&bias: &f32| bias > 0.0),
        clamp: at.get("attention.clamp_kqv")?.filter(|&limit: &f32| limit > 0.0),
        qk_norm: at.has("attn_q_norm.weight").then(|| QkNorm::whole(norm)),
        ..AttentionSpec::causal(at, hp)?
    };
    if attention.qk_norm.is_none() {
        let names = ["attn_k_norm.weight", "attn_k_norm.bias"];
        at.ignore_each(&names, "keys are normalized together with queries or not at all");
    }
    Layer::dense(at, hp, norm, attention, FfnSpec::plain(at, hp, Unary::Gelu)?)
})
.embedding(|at, hp| {
    let embedding = Embedding::load(at, hp)?;
    if at.has("position_embd.weight") { embedding.with_positions(at, hp) } else { Ok(embedding) }
})
.layer_normed();
