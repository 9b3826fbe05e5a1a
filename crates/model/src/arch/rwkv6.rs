//! `rwkv6`: RWKV-6, Finch (Peng et al. 2024). How much of the token before is mixed in depends on the token; a state that
//! decays by channel mixes time.

use super::rwkv7::heads;
use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::own("rwkv6", |file, hp| {
    let norm = NormSpec::layer(file, hp)?;
    Ok(Box::new(Rwkv6 {
        embedding: Embedding::load(file, hp)?.normed(Norm::load(file, "token_embd_norm", norm, hp.n_embd)?),
        layers: file.layers(hp.n_layer, |at| Layer::load(at, hp, norm))?,
        n_rescale: file.get_or("rescale_every_n_layers", 0)?,
        head: Head::load(file, hp, norm)?,
    }))
});

#[derive(Debug)]
struct Rwkv6 {
    embedding: Embedding,
    layers: Vec<Layer>,
    /// The sum is halved after each so many layers, whose weights are stored for it; 0 for never.
    n_rescale: usize,
    head: Head,
}

#[derive(Debug)]
struct Layer {
    time_norm: Norm,
    time: TimeMix,
    channel_norm: Norm,
    channel: ChannelMix,
}

impl Architecture for Rwkv6 {
    fn forward<'g>(&self, step: &Step<'g>) -> Tensor<'g> {
        let mut x = self.embedding.forward(step);
        for (i, layer) in self.layers.iter().enumerate() {
            x = layer.time.forward(layer.time_norm.forward(x)) + x;
            x = layer.channel.forward(layer.channel_norm.forward(x)) + x;
            if self.n_rescale > 0 && (i + 1).is_multiple_of(self.n_rescale) {
                x = x.scale(0.5);
            }
            x = step.layer_output(x);
        }
        self.head.forward(step, x)
    }
}

impl Layer {
    fn load(at: &Source<'_>, hp: &Hparams, norm: NormSpec) -> Result<Self> {
        Ok(Self {
            time_norm: Norm::load(at, "attn_norm", norm, hp.n_embd)?,
            time: TimeMix::load(at, hp)?,
            channel_norm: Norm::load(at, "attn_norm_2", norm, hp.n_embd)?,
            channel: ChannelMix::load(at, hp)?,
        })
    }
}

/// The recurrence over time: `y = r (S + (u k) (x) v); S = w S + k (x) v`.
#[derive(Debug)]
struct TimeMix {
    mixtures: Mixtures,
    key: Linear,
    value: Linear,
    receptance: Linear,
    gate: Linear,
    /// `u`, `[head_size, n_head]`: the weight of the token itself.
    first: Weight,
    decay: Decay,
    /// Gain and bias of a norm of each head.
    norm: [Weight; 2],
    output: Linear,
    /// Keys, values and decays of the token before.
    behind: MemoryId,
    state: MemoryId,
    /// `[head_size, n_head]`.
    heads: [usize; 2],
}

impl TimeMix {
    fn load(at: &Source<'_>, hp: &Hparams) -> Result<Self> {
        let n = hp.n_embd;
        let heads = heads(at, n)?;
        let linear = |part: &str| Linear::load(at, &format!("time_mix_{part}"), n, n);
        let per_head = |part: &str| at.vector_as(&format!("time_mix_ln.{part}"), [n], heads);
        Ok(Self {
            mixtures: Mixtures::load(at, n)?,
            key: linear("key")?,
            value: linear("value")?,
            receptance: linear("receptance")?,
            gate: linear("gate")?,
            first: at.vector("time_mix_first.weight", heads)?,
            decay: Decay::load(at, n)?,
            norm: [per_head("weight")?, per_head("bias")?],
            output: linear("output")?,
            behind: at.remember(MemorySpec::State { len: 3 * n }),
            state: at.remember(MemorySpec::State { len: n * heads[0] }),
            heads,
        })
    }

    fn forward<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
        let n = x.dim(0);
        let heads = |x: Tensor<'g>| x.reshape(&self.heads);
        let [w, k, v, r, g] = self.mixtures.forward(x);
        let [w, k, v] = [self.decay.forward(w), self.key.forward(k), self.value.forward(v)];
        let r = heads(self.receptance.forward(r));
        let own = heads(v) * (heads(k) * r * self.first).sum(0);
        // A token sees the state without itself: what RWKV-7 computes from the tokens before.
        let behind = k.concat(v, 0).concat(w, 0).token_shift(self.behind);
        let [k, v, w] = behind.split([n; 3]).map(heads);
        let nothing = k.scale(0.0);
        let [gain, bias] = self.norm;
        let y = r.wkv7(self.state, [w, k, v, nothing, nothing]) + own;
        let y = y.norm(NormKind::Layer, 64e-5, Some(gain), Some(bias)).reshape(&[n]);
        self.output.forward(self.gate.forward(g).glu(Unary::Silu, y))
    }
}

/// A token mixed with the one before, for each of `w k v r g` by shares of its own, which depend on the token.
#[derive(Debug)]
pub(super) struct Mixtures {
    shift: MemoryId,
    lerp_x: Weight,
    lerp: Lerp,
    /// From a first mixture to what is added to each of `lerp`.
    low_rank: [Weight; 2],
}

/// How much of the token before goes into each.
#[derive(Debug)]
enum Lerp {
    /// `[n_embd, 5]`.
    Fused(Weight),
    Split([Weight; 5]),
}

impl Mixtures {
    /// Of `n` channels.
    pub(super) fn load(at: &Source<'_>, n: usize) -> Result<Self> {
        let rank = at.extent_of("time_mix_extra_dim")?;
        Ok(Self {
            shift: at.remember(MemorySpec::State { len: n }),
            lerp_x: at.vector("time_mix_lerp_x.weight", [n])?,
            lerp: Lerp::load(at, n)?,
            low_rank: [
                at.weight("time_mix_w1.weight", [n, 5 * rank])?,
                at.weight("time_mix_w2.weight", [rank, n, 5])?,
            ],
        })
    }

    pub(super) fn forward<'g>(&self, x: Tensor<'g>) -> [Tensor<'g>; 5] {
        let change = x.token_shift(self.shift) - x;
        let [down, up] = self.low_rank;
        let mixed = (change * self.lerp_x + x).matmul(down).tanh();
        let added = mixed.reshape(&[mixed.dim(0) / 5, 5]).matmul_heads(up);
        self.lerp.add_to(added).map(|share| change * share + x)
    }
}

/// How much of each channel of the state stays, which depends on the token: `exp(-exp(x))`.
#[derive(Debug)]
pub(super) struct Decay {
    bias: Weight,
    low_rank: [Weight; 2],
}

impl Decay {
    pub(super) fn load(at: &Source<'_>, n: usize) -> Result<Self> {
        let rank = at.extent_of("time_decay_extra_dim")?;
        Ok(Self {
            bias: at.vector("time_mix_decay.weight", [n])?,
            low_rank: [
                at.weight("time_mix_decay_w1.weight", [n, rank])?,
                at.weight("time_mix_decay_w2.weight", [rank, n])?,
            ],
        })
    }

    pub(super) fn forward<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
        let [down, up] = self.low_rank;
        let rate = (x.matmul(down).tanh().matmul(up) + self.bias).unary(Unary::Exp);
        rate.unary(Unary::Neg).unary(Unary::Exp)
    }
}

impl Lerp {
    fn load(at: &Source<'_>, n: usize) -> Result<Self> {
        let parts = ["w", "k", "v", "r", "g"].map(|part| format!("time_mix_lerp_{part}.weight"));
        let fused = "time_mix_lerp_fused.weight";
        if at.has(fused) {
            parts.iter().for_each(|part| at.ignore(part, "time_mix_lerp_fused takes its place"));
            return at.vector_as(fused, [n, 1, 1, 5], [n, 5]).map(Self::Fused);
        }
        let [w, k, v, r, g] = parts.map(|part| at.vector(&part, [n]));
        Ok(Self::Split([w?, k?, v?, r?, g?]))
    }

    /// `added` is `[n_embd, 5]`.
    fn add_to<'g>(&self, added: Tensor<'g>) -> [Tensor<'g>; 5] {
        let part = |x: Tensor<'g>, i| x.slice(1, i, 1).reshape(&[x.dim(0)]);
        match self {
            Self::Fused(lerp) => {
                let shares = added + *lerp;
                [0, 1, 2, 3, 4].map(|i| part(shares, i))
            }
            Self::Split(lerp) => [0, 1, 2, 3, 4].map(|i| part(added, i) + lerp[i]),
        }
    }
}

/// The feed-forward.
#[derive(Debug)]
struct ChannelMix {
    shift: MemoryId,
    lerp_k: Weight,
    lerp_r: Weight,
    key: Linear,
    value: Linear,
    receptance: Linear,
}

impl ChannelMix {
    fn load(at: &Source<'_>, hp: &Hparams) -> Result<Self> {
        let (n, n_ff) = (hp.n_embd, hp.layer(0).n_ff);
        Ok(Self {
            shift: at.remember(MemorySpec::State { len: n }),
            lerp_k: at.vector("channel_mix_lerp_k.weight", [n])?,
            lerp_r: at.vector("channel_mix_lerp_r.weight", [n])?,
            key: Linear::load(at, "channel_mix_key", n, n_ff)?,
            value: Linear::load(at, "channel_mix_value", n_ff, n)?,
            receptance: Linear::load(at, "channel_mix_receptance", n, n)?,
        })
    }

    fn forward<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
        let change = x.token_shift(self.shift) - x;
        let k = self.key.forward(change * self.lerp_k + x).unary(Unary::ReluSquared);
        let r = self.receptance.forward(change * self.lerp_r + x).sigmoid();
        r * self.value.forward(k)
    }
}
