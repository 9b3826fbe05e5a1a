//! Which tensors are left as they are: those that are small, and those that a coarse type would ruin.

use super::rules::Facts;

/// A name with one of these parts is never quantized.
const PARTS: &[&str] = &[
    "_norm.weight",
    // Which expert gets a token.
    "ffn_gate_inp.weight",
    "ffn_gate_tid2eid.weight",
    // A few values each.
    "altup",
    "laurel",
    "per_layer_model_proj",
    "ssm_conv1d",
    "shortconv.conv.weight",
    "indexer.k_proj.weight",
    "indexer.q_proj.weight",
    "time_mix_first.weight",
    "time_mix_w0.weight",
    "time_mix_w1.weight",
    "time_mix_w2.weight",
    "time_mix_v0.weight",
    "time_mix_v1.weight",
    "time_mix_v2.weight",
    "time_mix_a0.weight",
    "time_mix_a1.weight",
    "time_mix_a2.weight",
    "time_mix_g1.weight",
    "time_mix_g2.weight",
    "time_mix_decay_w1.weight",
    "time_mix_decay_w2.weight",
    "time_mix_lerp_fused.weight",
    // Positions.
    "attn_rel_b.weight",
    ".position_embd",
    ".rel_pos",
    "sam.pos_embd",
    // Images and sound.
    "sam.neck.",
    "sam.net_",
    ".patch_embd",
    ".patch_merger",
    "a.rvq.codebook",
    "mm.a.code_embd",
];

/// These are never quantized.
const NAMES: &[&str] = &["position_embd.weight", "token_types.weight"];

/// Whether every recipe leaves the tensor as it is.
pub(crate) fn is_kept(name: &str, dims: &[u64], facts: &Facts) -> bool {
    // Extents of one at the end do not count: what is left is a vector.
    let is_vector = dims.iter().skip(1).all(|extent| *extent == 1);
    let has = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
    is_vector || !name.ends_with("weight") || NAMES.contains(&name) || has(PARTS) || has(facts.arch.kept)
}
