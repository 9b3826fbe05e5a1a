//! Multi-head latent attention (DeepSeek-V2): keys and values of all heads come from one small vector a token, the
//! latent, and only that and one rotated key are remembered.

use super::attention::load_gate;
use super::{
    Block, Choice, Error, Hparams, Linear, Mask, MemoryId, MemorySpec, Norm, NormSpec, Result, Rope, Source,
    Step, Temperature, Tensor, Timeline, Unary, ValueStore, Weight,
};

#[derive(Clone, Copy, Debug)]
pub(crate) struct MlaSpec {
    pub(crate) n_embd: usize,
    pub(crate) n_head: usize,
    /// Rank of the queries; without, they are projected in one go.
    pub(crate) q_rank: Option<usize>,
    /// Elements of the latent.
    pub(crate) kv_rank: usize,
    /// Elements of a head's key before absorption, the rotated ones included.
    pub(crate) key_dim: usize,
    pub(crate) value_dim: usize,
    /// Elements of the shared positional key.
    pub(crate) n_rot: usize,
    /// Rotation of the last `n_rot` elements of queries and keys.
    pub(crate) rope: Option<Rope>,
    pub(crate) scale: f32,
    /// Of queries, by their position.
    pub(crate) temperature: Option<Temperature>,
    pub(crate) mask: Mask,
    /// `f(attn_gate x)` multiplies each head of the result, or each element of it.
    pub(crate) gate: Option<Unary>,
    pub(crate) norm: NormSpec,
}

impl MlaSpec {
    /// By the file's ranks and lengths, without rotation, with the scale one over the root of the key length.
    pub(crate) fn load(at: &Source<'_>, hp: &Hparams) -> Result<Self> {
        let key_dim = at.extent_opt("attention.key_length_mla")?.unwrap_or(hp.key_dim);
        let value_dim = at.extent_opt("attention.value_length_mla")?.unwrap_or(hp.value_dim);
        let has_rank = at.has("attn_q_a.weight");
        Ok(Self {
            n_embd: hp.n_embd,
            n_head: hp.layer(at.index()).n_head,
            q_rank: if has_rank { Some(at.extent_of("attention.q_lora_rank")?) } else { None },
            kv_rank: at.extent_of("attention.kv_lora_rank")?,
            key_dim,
            value_dim,
            n_rot: hp.rope.n_rot,
            rope: None,
            scale: 1.0 / (key_dim as f32).sqrt(),
            temperature: None,
            mask: if hp.causal { Mask::Causal } else { Mask::All },
            gate: None,
            norm: NormSpec::rms(at, hp)?,
        })
    }

    fn check(&self, at: &Source<'_>) -> Result<()> {
        let Self { n_head, key_dim, value_dim, n_rot, .. } = *self;
        if n_head == 0 || value_dim == 0 {
            return Err(Error::value(&at.full_key("attention.head_count"), n_head, "must be positive"));
        }
        if n_rot > key_dim || (n_rot == 0 && self.rope.is_some()) {
            let problem = format!("must be at most the {key_dim} elements of a key");
            return Err(Error::value(&at.full_key("rope.dimension_count"), n_rot, problem));
        }
        self.rope.map_or(Ok(()), |rope| rope.check(at, n_rot))
    }
}

#[derive(Debug)]
pub(crate) struct Mla {
    query: Query,
    /// To the latent, and to the positional key behind it.
    down: Linear,
    latent_norm: Norm,
    /// Of the positional key, before it is rotated.
    key_norm: Option<Norm>,
    up: Up,
    gate: Option<Linear>,
    /// `[n_head]`: a score each head may spend on nothing.
    sinks: Option<Weight>,
    output: Linear,
    /// Of the tokens to attend to; without, to all of them.
    choice: Option<Choice>,
    memory: MemoryId,
    spec: MlaSpec,
}

#[derive(Debug)]
enum Query {
    Direct(Linear),
    LowRank { a: Linear, norm: Norm, b: Linear },
}

/// From the latent to keys and values.
#[derive(Debug)]
enum Up {
    /// Never done: `k` maps queries into the latent's space, `v` maps what attention gives out of it.
    Absorbed { k: Weight, v: Weight },
    /// Done for each token, and remembered in full. Files made before absorption.
    Full(Linear),
}

impl Mla {
    pub(crate) fn load(at: &Source<'_>, spec: MlaSpec) -> Result<Self> {
        spec.check(at)?;
        let MlaSpec { n_embd, n_head, kv_rank, key_dim, value_dim, n_rot, norm, .. } = spec;
        let key_nope = key_dim - n_rot;
        let query = match spec.q_rank {
            None => Query::Direct(Linear::load(at, "attn_q", n_embd, n_head * key_dim)?),
            Some(rank) => Query::LowRank {
                a: Linear::load(at, "attn_q_a", n_embd, rank)?,
                norm: Norm::load(at, "attn_q_a_norm", norm, rank)?,
                b: Linear::load(at, "attn_q_b", rank, n_head * key_dim)?,
            },
        };
        let up = if at.has("attn_kv_b.weight") {
            Up::Full(Linear::load(at, "attn_kv_b", kv_rank, n_head * (key_nope + value_dim))?)
        } else {
            Up::Absorbed {
                k: at.weight("attn_k_b.weight", [key_nope, kv_rank, n_head])?,
                v: at.weight("attn_v_b.weight", [kv_rank, value_dim, n_head])?,
            }
        };
        let (n_head_kv, key_dim, value) = match up {
            Up::Absorbed { .. } => (1, kv_rank + n_rot, ValueStore::InKey { dim: kv_rank }),
            Up::Full(_) => (n_head, key_dim, ValueStore::Own { dim: value_dim }),
        };
        let timeline = Timeline::Sequence;
        let window = if let Mask::Window(n) = spec.mask { Some(n) } else { None };
        let gate = || load_gate(at, [n_embd, n_head, value_dim]);
        Ok(Self {
            query,
            down: Linear::load(at, "attn_kv_a_mqa", n_embd, kv_rank + n_rot)?,
            latent_norm: Norm::load(at, "attn_kv_a_norm", norm, kv_rank)?,
            key_norm: Norm::optional(at, "attn_k_norm", norm, n_rot)?,
            up,
            gate: spec.gate.map(|_| gate()).transpose()?,
            sinks: at.vector_opt("attn_sinks.weight", [n_head])?,
            output: Linear::load(at, "attn_output", n_head * value_dim, n_embd)?,
            choice: None,
            memory: at.remember(MemorySpec::Kv { n_head_kv, key_dim, value, ratio: 1, window, timeline }),
            spec,
        })
    }

    pub(crate) fn choosing(self, choice: Option<Choice>) -> Self {
        Self { choice, ..self }
    }

    fn op(&self) -> tensor::Attention {
        let spec = tensor::Attention::causal(self.memory, self.spec.key_dim);
        tensor::Attention {
            scale: self.spec.scale,
            mask: self.spec.mask,
            sinks: self.sinks.is_some(),
            ..spec
        }
    }
}

impl Block for Mla {
    fn forward<'g>(&self, step: &Step<'g>, x: Tensor<'g>) -> Tensor<'g> {
        let MlaSpec { n_head, kv_rank, key_dim, value_dim, n_rot, .. } = self.spec;
        let rotate = |x: Tensor<'g>| match &self.spec.rope {
            Some(rope) => rope.forward(step, x),
            None => x,
        };
        let low = self.query.low(x);
        let chosen = self.choice.as_ref().map(|choice| choice.forward(step, x, low));
        let q = self.query.up(low).reshape(&[key_dim, n_head]);
        let [q_nope, q_rot] = q.split([key_dim - n_rot, n_rot]);
        let q_rot = rotate(q_rot);
        // Some heads are rotated as a whole, some not at all.
        let join = |nope: Tensor<'g>, rot: Tensor<'g>| match (nope.dim(0), rot.dim(0)) {
            (0, _) => rot,
            (_, 0) => nope,
            _ => nope.concat(rot, 0),
        };
        let sharpen = |q: Tensor<'g>| match self.spec.temperature {
            Some(temperature) => q * step.graph.temperature(temperature),
            None => q,
        };
        let [latent, k_rot] = self.down.forward(x).split([kv_rank, n_rot]);
        let k_rot = self.key_norm.as_ref().map_or(k_rot, |norm| norm.forward(k_rot));
        let k_rot = rotate(k_rot.reshape(&[n_rot, 1]));
        let latent = self.latent_norm.forward(latent);
        let attend = |q: Tensor<'g>, kv, dim| match chosen {
            Some(chosen) => q.attention_to_chosen(kv, dim, self.op(), self.sinks, chosen),
            None => q.attention(kv, dim, self.op(), self.sinks, None),
        };
        let y = match &self.up {
            Up::Absorbed { k, v } => {
                let q = sharpen(join(q_nope.matmul_heads(*k), q_rot));
                let k = join(latent.reshape(&[kv_rank, 1]), k_rot);
                let kv = step.append_kv(self.memory, k, None);
                attend(q, kv, kv_rank).matmul_heads(*v)
            }
            Up::Full(up) => {
                let kv = up.forward(latent).reshape(&[key_dim - n_rot + value_dim, n_head]);
                let [k_nope, v] = kv.split([key_dim - n_rot, value_dim]);
                let k = join(k_nope, k_rot.repeat(&[n_rot, n_head]));
                let kv = step.append_kv(self.memory, k, Some(v));
                attend(sharpen(join(q_nope, q_rot)), kv, value_dim)
            }
        };
        let y = match (&self.gate, self.spec.gate) {
            (Some(gate), Some(f)) => {
                let gate = gate.forward(x).unary(f);
                y * gate.reshape(&[gate.dim(0) / n_head, n_head])
            }
            _ => y,
        };
        self.output.forward(y.reshape(&[n_head * value_dim]))
    }
}

impl Query {
    /// What queries are made from.
    fn low<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
        match self {
            Self::Direct(_) => x,
            Self::LowRank { a, norm, .. } => norm.forward(a.forward(x)),
        }
    }

    fn up<'g>(&self, low: Tensor<'g>) -> Tensor<'g> {
        let (Self::Direct(q) | Self::LowRank { b: q, .. }) = self;
        q.forward(low)
    }
}
