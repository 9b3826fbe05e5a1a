//! `qwen`: the first Qwen. The file gives the width of gate and up together, and keys and values have rows for as many
//! heads as queries, even where fewer are used.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("qwen", |at, hp| {
    let n = hp.n_embd;
    let spec = AttentionSpec::neox(at, hp)?;
    let n_used = spec.n_head * spec.key_dim + spec.n_head_kv * (spec.key_dim + spec.value_dim);
    if n_used > 3 * n {
        let problem = format!("needs more than the {} rows of attn_qkv", 3 * n);
        return Err(Error::value(&at.full_key("attention.head_count"), spec.n_head, problem));
    }
    let qkv = FirstOf { linear: Linear::load(at, "attn_qkv", n, 3 * n)?, n_used };
    let ffn = FfnSpec::swiglu(at, hp)?;
    let ffn = Dense::load(at, FfnSpec { n_ff: ffn.n_ff / 2, ..ffn })?;
    Layer::load(at, hp, (Norms::PRE, NormSpec::rms(at, hp)?), Attention::fused(at, spec, qkv)?, ffn)
});

/// The first `n_used` of what `linear` gives.
#[derive(Debug)]
struct FirstOf {
    linear: Linear,
    n_used: usize,
}

impl Block for FirstOf {
    fn forward<'g>(&self, _: &Step<'g>, x: Tensor<'g>) -> Tensor<'g> {
        self.linear.forward(x).slice(0, 0, self.n_used)
    }
}
