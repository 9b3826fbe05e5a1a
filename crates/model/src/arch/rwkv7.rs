//! `rwkv7`: RWKV-7 (Peng et al. 2025). A state edited by a generalized delta rule mixes time; the feed-forward looks one
//! token back.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::own("rwkv7", |file, hp| {
    let norm = NormSpec::layer(file, hp)?;
    Ok(Box::new(Rwkv7 {
        embedding: Embedding::load(file, hp)?.normed(Norm::load(file, "token_embd_norm", norm, hp.n_embd)?),
        layers: file.layers(hp.n_layer, |at| Layer::load(at, hp, norm))?,
        head: Head::load(file, hp, norm)?,
    }))
});

#[derive(Debug)]
struct Rwkv7 {
    embedding: Embedding,
    layers: Vec<Layer>,
    head: Head,
}

#[derive(Debug)]
struct Layer {
    time_norm: Norm,
    time: TimeMix,
    channel_norm: Norm,
    channel: ChannelMix,
}

impl Architecture for Rwkv7 {
    fn forward<'g>(&self, step: &Step<'g>) -> Tensor<'g> {
        let mut x = self.embedding.forward(step);
        let mut first_value = None;
        for layer in &self.layers {
            x = layer.time.forward(layer.time_norm.forward(x), &mut first_value) + x;
            x = layer.channel.forward(layer.channel_norm.forward(x)) + x;
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

/// `[head_size, n_head]` of `n` channels.
pub(super) fn heads(at: &Source<'_>, n: usize) -> Result<[usize; 2]> {
    let size = at.extent_of("wkv.head_size")?;
    if !n.is_multiple_of(size) {
        let problem = format!("does not divide {n} channels");
        return Err(Error::value(&at.full_key("wkv.head_size"), size, problem));
    }
    Ok([size, n / size])
}

/// The recurrence over time. `w` decays the state, `a` is the rate of learning in context, `v` mixes in the values of
/// the first layer, `g` gates.
#[derive(Debug)]
pub(super) struct TimeMix {
    shift: MemoryId,
    /// `[n_embd, 1, 1, n_mix]`: how much of the token before goes into each of `r w k v a (g)`.
    lerp: Weight,
    receptance: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    w: LowRank,
    a: LowRank,
    v: Option<LowRank>,
    g: Option<[Weight; 2]>,
    k_k: Weight,
    k_a: Weight,
    r_k: Weight,
    /// Gain and bias of a norm of each head.
    norm: Option<[Weight; 2]>,
    state: MemoryId,
    /// `[head_size, n_head]`.
    heads: [usize; 2],
}

impl TimeMix {
    pub(super) fn load(at: &Source<'_>, hp: &Hparams) -> Result<Self> {
        let n = hp.n_embd;
        let heads = heads(at, n)?;
        let linear = |name: &str| Linear::load(at, name, n, n);
        let per_head = |name: &str| at.vector_as(name, [n], heads);
        let rank = |key: &str| at.extent_opt(&format!("attention.{key}_lora_rank"));
        let low_rank = |part, key| LowRank::load(at, part, n, at.extent_of(&format!("attention.{key}_lora_rank"))?);
        let gate = |rank| -> Result<_> {
            Ok([at.weight("time_mix_g1.weight", [n, rank])?, at.weight("time_mix_g2.weight", [rank, n])?])
        };
        let g = match rank("gate")? {
            Some(rank) if at.has("time_mix_g1.weight") => Some(gate(rank)?),
            _ => None,
        };
        let v = if at.index() == 0 {
            for name in ["time_mix_v0.weight", "time_mix_v1.weight", "time_mix_v2.weight"] {
                at.ignore(name, "the first layer has no earlier values to mix in");
            }
            None
        } else {
            Some(low_rank("v", "value_residual_mix")?)
        };
        let has_norm = at.has("time_mix_ln.weight");
        let norm = || -> Result<_> { Ok([per_head("time_mix_ln.weight")?, per_head("time_mix_ln.bias")?]) };
        Ok(Self {
            shift: at.remember(MemorySpec::State { len: n }),
            lerp: at.vector("time_mix_lerp_fused.weight", [n, 1, 1, if g.is_some() { 6 } else { 5 }])?,
            receptance: linear("time_mix_receptance")?,
            key: linear("time_mix_key")?,
            value: linear("time_mix_value")?,
            output: linear("time_mix_output")?,
            w: low_rank("w", "decay")?,
            a: low_rank("a", "iclr")?,
            v,
            g,
            k_k: at.vector("time_mix_k_k.weight", [n])?,
            k_a: at.vector("time_mix_k_a.weight", [n])?,
            r_k: per_head("time_mix_r_k.weight")?,
            norm: if has_norm { Some(norm()?) } else { None },
            state: at.remember(MemorySpec::State { len: n * heads[0] }),
            heads,
        })
    }

    /// `first_value` passes the values of the first layer to the others.
    pub(super) fn forward<'g>(&self, x: Tensor<'g>, first_value: &mut Option<Tensor<'g>>) -> Tensor<'g> {
        let n = x.dim(0);
        let n_mix = self.lerp.shape.dim(3);
        let change = (x.token_shift(self.shift) - x).reshape(&[n, 1, 1, 1]).repeat(&[n, 1, 1, n_mix]);
        let mixed = change * self.lerp + x.reshape(&[n, 1, 1, 1]);
        let part = |i| mixed.slice(3, i, 1).reshape(&[n]);
        let heads = |x: Tensor<'g>| x.reshape(&self.heads);

        let r = heads(self.receptance.forward(part(0)));
        let w = self.w.forward(part(1), Tensor::tanh).sigmoid().scale(-0.606_531).unary(Unary::Exp);
        let k = self.key.forward(part(2));
        let mut v = self.value.forward(part(3));
        let first = *first_value.get_or_insert(v);
        if let Some(mix) = &self.v {
            v = v + (first - v) * mix.forward(part(3), |x| x).sigmoid();
        }
        let a = self.a.forward(part(4), |x| x).sigmoid();

        let removed = heads(k * self.k_k).norm(NormKind::L2, 1e-12, None, None);
        let k_a = k * self.k_a;
        let k = heads(k + (a * k_a - k_a));
        let v = heads(v);
        let gates = [heads(w), k, v, removed.unary(Unary::Neg), removed * heads(a)];
        let mut y = r.wkv7(self.state, gates);
        if let Some([gain, bias]) = self.norm {
            y = y.norm(NormKind::Layer, 64e-5, Some(gain), Some(bias));
        }
        let mut y = (y + v * (k * r * self.r_k).sum(0)).reshape(&[n]);
        if let Some([down, up]) = self.g {
            y = y * part(5).matmul(down).sigmoid().matmul(up);
        }
        self.output.forward(y)
    }
}

/// `up f(down x) + bias`.
#[derive(Debug)]
struct LowRank {
    down: Weight,
    up: Weight,
    bias: Weight,
}

impl LowRank {
    fn load(at: &Source<'_>, part: &str, n: usize, rank: usize) -> Result<Self> {
        Ok(Self {
            bias: at.vector(&format!("time_mix_{part}0.weight"), [n])?,
            down: at.weight(&format!("time_mix_{part}1.weight"), [n, rank])?,
            up: at.weight(&format!("time_mix_{part}2.weight"), [rank, n])?,
        })
    }

    fn forward<'g>(&self, x: Tensor<'g>, f: impl Fn(Tensor<'g>) -> Tensor<'g>) -> Tensor<'g> {
        f(x.matmul(self.down)).matmul(self.up) + self.bias
    }
}

/// The feed-forward.
#[derive(Debug)]
struct ChannelMix {
    shift: MemoryId,
    lerp: Weight,
    key: Linear,
    value: Linear,
}

impl ChannelMix {
    fn load(at: &Source<'_>, hp: &Hparams) -> Result<Self> {
        let (n, n_ff) = (hp.n_embd, hp.layer(0).n_ff);
        Ok(Self {
            shift: at.remember(MemorySpec::State { len: n }),
            lerp: at.vector("channel_mix_lerp_k.weight", [n])?,
            key: Linear::load(at, "channel_mix_key", n, n_ff)?,
            value: Linear::load(at, "channel_mix_value", n_ff, n)?,
        })
    }

    fn forward<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
        let x = (x.token_shift(self.shift) - x) * self.lerp + x;
        self.value.forward(self.key.forward(x).unary(Unary::ReluSquared))
    }
}
