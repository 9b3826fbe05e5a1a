//! `cogvlm`: the language model of CogVLM: Llama with rotated halves. The matrices of its second set see images.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("cogvlm", |at, hp| {
    for part in ["attn_qkv", "attn_output", "gate", "up", "down"] {
        at.ignore(&format!("vis_{part}.weight"), "a model that sees is loaded with its language model alone");
    }
    at.ignore("attn_qkv.scale", "the reference engine does not apply it");
    at.root().ignore("rope_freqs.weight", "the reference engine rotates without factors");
    let rope = Some(Rope::plain(RopeOrder::Neox, hp.key_dim, 10000.0));
    let spec = AttentionSpec { rope, ..AttentionSpec::causal(at, hp)? };
    let thirds = Thirds::load(at, &spec)?;
    let ffn = Dense::load(at, FfnSpec::swiglu(at, hp)?)?;
    Layer::load(at, hp, (Norms::PRE, NormSpec::rms(at, hp)?), Attention::fused(at, spec, thirds)?, ffn)
});

/// One matrix with equal thirds for queries, keys and values. Where there are fewer heads of keys, theirs come first.
#[derive(Debug)]
struct Thirds {
    qkv: Linear,
    n: usize,
    /// Used of each third.
    used: [usize; 3],
}

impl Thirds {
    fn load(at: &Source<'_>, spec: &AttentionSpec) -> Result<Self> {
        spec.check(at)?;
        let AttentionSpec { n_embd: n, n_head, n_head_kv, key_dim, value_dim, .. } = *spec;
        if n_head * key_dim != n || n_head_kv * value_dim > n {
            let problem = format!("heads of {key_dim} elements do not fill {n}");
            return Err(Error::value(&at.full_key("attention.head_count"), n_head, problem));
        }
        let qkv = Linear::load(at, "attn_qkv", n, 3 * n)?;
        Ok(Self { qkv, n, used: [n_head * key_dim, n_head_kv * key_dim, n_head_kv * value_dim] })
    }
}

impl Block for Thirds {
    fn forward<'g>(&self, _: &Step<'g>, x: Tensor<'g>) -> Tensor<'g> {
        let thirds = self.qkv.forward(x).split([self.n; 3]);
        let [q, k, v] = [0, 1, 2].map(|i| thirds[i].slice(0, 0, self.used[i]));
        q.concat(k, 0).concat(v, 0)
    }
}
