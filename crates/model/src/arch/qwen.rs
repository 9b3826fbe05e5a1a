//! `qwen`: the first Qwen. The file gives the width of gate and up together, and keys and values have rows for as many
//! heads as queries, even where fewer are used.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("qwen", |at, hp| {
    let qkv = Linear::load(at, "attn_qkv", hp.n_embd, 3 * hp.n_embd)?;
    let spec = AttentionSpec::neox(at, hp)?;
    let n_rows = spec.n_head * spec.key_dim + spec.n_head_kv * (spec.key_dim + spec.value_dim);
    if n_rows > 3 * hp.n_embd {
        let problem = format!("needs more than the {} rows of attn_qkv", 3 * hp.n_embd);
        return Err(Error::value(&at.full_key("attention.head_count"), spec.n_head, problem));
    }
    let ffn = FfnSpec::swiglu(at, hp)?;
    let ffn = Dense::load(at, FfnSpec { n_ff: ffn.n_ff / 2, ..ffn })?;
    Layer::load(at, hp, (Norms::PRE, NormSpec::rms(at, hp)?), Attention::fused(at, spec, qkv)?, ffn)
});
