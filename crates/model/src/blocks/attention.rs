//! Attention with its projections: multi-head, multi-query and grouped-query.

use super::{
    Block, Choice, Error, Hparams, Linear, Mask, MemoryId, MemorySpec, Norm, NormSpec, Result, Rope, Source,
    Step, Temperature, Tensor, Timeline, Unary, ValueStore, Weight,
};

/// Which elements of queries and keys are normalized together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Span {
    /// Each head, all with the same gain.
    Head,
    /// Each head, without a gain.
    Bare,
    /// Each head; queries have one number a head as gain, keys none.
    HeadScale,
    /// Each head with a gain of its own.
    EachHead,
    /// All heads as one vector.
    Whole,
}

/// Norms `attn_q_norm` and `attn_k_norm`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct QkNorm {
    pub(crate) norm: NormSpec,
    pub(crate) span: Span,
    pub(crate) after_rope: bool,
}

impl QkNorm {
    /// Each head before it is rotated (Qwen 3).
    pub(crate) fn head(norm: NormSpec) -> Self {
        Self { norm, span: Span::Head, after_rope: false }
    }

    /// Each head after it is rotated (Hunyuan).
    pub(crate) fn rotated_head(norm: NormSpec) -> Self {
        Self { after_rope: true, ..Self::head(norm) }
    }

    /// Each head with a gain of its own (Command R).
    pub(crate) fn each_head(norm: NormSpec) -> Self {
        Self { span: Span::EachHead, ..Self::head(norm) }
    }

    /// Each head after it is rotated, without a gain (Llama 4).
    pub(crate) fn bare_rotated(norm: NormSpec) -> Self {
        Self { span: Span::Bare, ..Self::rotated_head(norm) }
    }

    /// Each head after it is rotated; queries have a gain a head (Talkie).
    pub(crate) fn rotated_queries(norm: NormSpec) -> Self {
        Self { span: Span::HeadScale, ..Self::rotated_head(norm) }
    }

    /// All heads as one vector (OLMo 2).
    pub(crate) fn whole(norm: NormSpec) -> Self {
        Self { norm, span: Span::Whole, after_rope: false }
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct AttentionSpec {
    pub(crate) n_embd: usize,
    pub(crate) n_head: usize,
    pub(crate) n_head_kv: usize,
    pub(crate) key_dim: usize,
    pub(crate) value_dim: usize,
    pub(crate) scale: f32,
    pub(crate) rope: Option<Rope>,
    pub(crate) mask: Mask,
    pub(crate) softcap: Option<f32>,
    pub(crate) alibi_max_bias: Option<f32>,
    /// Queries, keys and values are kept within this of 0.
    pub(crate) clamp: Option<f32>,
    pub(crate) qk_norm: Option<QkNorm>,
    /// Of queries, by their position.
    pub(crate) temperature: Option<Temperature>,
    /// `f(attn_gate x)` multiplies each head of the result, or each element of it.
    pub(crate) gate: Option<Unary>,
    /// `sigmoid` of what follows each head of the queries multiplies the result (Qwen 3 Next).
    pub(crate) gate_in_query: bool,
}

impl AttentionSpec {
    /// Causal attention with the layer's heads and the scale one over the root of the key length, without positions.
    pub(crate) fn causal(at: &Source<'_>, hp: &Hparams) -> Result<Self> {
        let layer = hp.layer(at.index());
        Ok(Self {
            n_embd: hp.n_embd,
            n_head: layer.n_head,
            n_head_kv: layer.n_head_kv,
            key_dim: hp.key_dim,
            value_dim: hp.value_dim,
            scale: 1.0 / (hp.key_dim as f32).sqrt(),
            rope: None,
            mask: if hp.causal { Mask::Causal } else { Mask::All },
            softcap: None,
            alibi_max_bias: None,
            clamp: None,
            qk_norm: None,
            temperature: None,
            gate: None,
            gate_in_query: false,
        })
    }

    /// Causal attention with rotated pairs of neighbours.
    pub(crate) fn interleaved(at: &Source<'_>, hp: &Hparams) -> Result<Self> {
        Ok(Self { rope: Some(Rope::interleaved(at, hp)?), ..Self::causal(at, hp)? })
    }

    /// Causal attention with rotated halves.
    pub(crate) fn neox(at: &Source<'_>, hp: &Hparams) -> Result<Self> {
        Ok(Self { rope: Some(Rope::neox(at, hp)?), ..Self::causal(at, hp)? })
    }

    /// With the scale `attention.scale`, if the file gives one.
    pub(crate) fn with_file_scale(self, at: &Source<'_>) -> Result<Self> {
        let scale = at.get("attention.scale")?.filter(|&scale| scale != 0.0).unwrap_or(self.scale);
        Ok(Self { scale, ..self })
    }

    /// What the layer remembers.
    pub(crate) fn memory(&self) -> MemorySpec {
        MemorySpec::Kv {
            n_head_kv: self.n_head_kv,
            key_dim: self.key_dim,
            value: ValueStore::Own { dim: self.value_dim },
            ratio: 1,
            window: match self.mask {
                Mask::Window(n) | Mask::Chunk(n) => Some(n),
                Mask::All | Mask::Causal | Mask::Symmetric(_) => None,
            },
            timeline: Timeline::Sequence,
        }
    }

    pub(crate) fn check(&self, at: &Source<'_>) -> Result<()> {
        let value = |key: &str, value, problem: String| Err(Error::value(&at.full_key(key), value, problem));
        if self.n_head == 0 {
            return value("attention.head_count", 0, "must be positive".into());
        }
        if self.n_head_kv == 0 || !self.n_head.is_multiple_of(self.n_head_kv) {
            let problem = format!("does not divide {} heads", self.n_head);
            return value("attention.head_count_kv", self.n_head_kv, problem);
        }
        if self.gate_in_query && self.key_dim != self.value_dim {
            let problem = format!("must be the key length of {}", self.key_dim);
            return value("attention.value_length", self.value_dim, problem);
        }
        if self.key_dim == 0 || self.value_dim == 0 {
            return value("attention.key_length", 0, "must be positive".into());
        }
        if matches!(self.mask, Mask::Window(0) | Mask::Chunk(0)) {
            return value("attention.sliding_window", 0, "must be positive".into());
        }
        self.rope.map_or(Ok(()), |rope| rope.check(at, self.key_dim))
    }
}

/// Projections, norms, positions, memory. Biases and sinks are used when the file has them.
#[derive(Debug)]
pub(crate) struct Attention {
    qkv: Qkv,
    q_norm: Option<Norm>,
    k_norm: Option<Norm>,
    /// `[n_head]`: a score each head may spend on nothing.
    sinks: Option<Weight>,
    gate: Option<Linear>,
    /// Of the result, before its projection (BitNet).
    sub_norm: Option<Norm>,
    output: Linear,
    /// Of the tokens to attend to; without, to all of them.
    choice: Option<Choice>,
    memory: MemoryId,
    spec: AttentionSpec,
}

#[derive(Debug)]
enum Qkv {
    Split {
        q: Linear,
        k: Linear,
        v: Linear,
    },
    /// One projection to all three, one behind the other.
    Fused(Box<dyn Block>),
}

impl Attention {
    pub(crate) fn load(at: &Source<'_>, spec: AttentionSpec) -> Result<Self> {
        spec.check(at)?;
        Self::with(at, spec, Qkv::load(at, &spec)?)
    }

    /// With one projection to queries, keys and values, one behind the other.
    pub(crate) fn fused(
        at: &Source<'_>,
        spec: AttentionSpec,
        qkv: impl Into<Box<dyn Block>>,
    ) -> Result<Self> {
        spec.check(at)?;
        Self::with(at, spec, Qkv::Fused(qkv.into()))
    }

    fn with(at: &Source<'_>, spec: AttentionSpec, qkv: Qkv) -> Result<Self> {
        let AttentionSpec { n_embd, n_head, n_head_kv, key_dim, value_dim, .. } = spec;
        let norm = |name: &str, n_head: usize| -> Result<Option<Norm>> {
            let Some(QkNorm { norm, span, .. }) = spec.qk_norm else {
                return Ok(None);
            };
            Ok(Some(match span {
                Span::Bare => Norm::bare(norm),
                Span::HeadScale if name == "attn_k_norm" => Norm::bare(norm),
                Span::HeadScale => Norm::shaped(at, name, norm, [1, n_head])?,
                Span::Head => Norm::load(at, name, norm, key_dim)?,
                Span::EachHead => Norm::shaped(at, name, norm, [key_dim, n_head])?,
                Span::Whole => Norm::load(at, name, norm, key_dim * n_head)?,
            }))
        };
        Ok(Self {
            qkv,
            q_norm: norm("attn_q_norm", n_head)?,
            k_norm: norm("attn_k_norm", n_head_kv)?,
            sinks: at.vector_opt("attn_sinks.weight", [n_head])?,
            gate: spec.gate.map(|_| load_gate(at, [n_embd, n_head, value_dim])).transpose()?,
            sub_norm: sub_norm(at, "attn_sub_norm", n_head * value_dim)?,
            output: Linear::load(at, "attn_output", n_head * value_dim, n_embd)?,
            choice: None,
            memory: at.remember(spec.memory()),
            spec,
        })
    }

    pub(crate) fn choosing(self, choice: Option<Choice>) -> Self {
        Self { choice, ..self }
    }

    /// With scales that are stored elsewhere.
    pub(crate) fn scaled_by(self, at: &Source<'_>) -> Result<Self> {
        let qkv = match self.qkv {
            Qkv::Split { q, k, v } => Qkv::Split {
                q: q.scaled_by(at, "attn_q")?,
                k: k.scaled_by(at, "attn_k")?,
                v: v.scaled_by(at, "attn_v")?,
            },
            Qkv::Fused(qkv) => Qkv::Fused(qkv),
        };
        Ok(Self { qkv, output: self.output.scaled_by(at, "attn_output")?, ..self })
    }

    /// Norm and rotation of queries or keys, in their order; `[key_dim, n_head]`.
    fn position<'g>(&self, step: &Step<'g>, x: Tensor<'g>, norm: Option<&Norm>, n_head: usize) -> Tensor<'g> {
        let heads = |x: Tensor<'g>| x.reshape(&[self.spec.key_dim, n_head]);
        let rotate = |x: Tensor<'g>| match &self.spec.rope {
            Some(rope) => rope.forward(step, heads(x)),
            None => heads(x),
        };
        match (norm, self.spec.qk_norm) {
            (Some(norm), Some(QkNorm { span: Span::Whole, .. })) => rotate(norm.forward(x)),
            (Some(norm), Some(QkNorm { after_rope: true, .. })) => norm.forward(rotate(x)),
            (Some(norm), _) => rotate(norm.forward(heads(x))),
            (None, _) => rotate(x),
        }
    }

    fn op(&self) -> tensor::Attention {
        let AttentionSpec { scale, mask, softcap, alibi_max_bias, .. } = self.spec;
        tensor::Attention {
            scale,
            mask,
            softcap,
            alibi_max_bias,
            sinks: self.sinks.is_some(),
            ..tensor::Attention::causal(self.memory, self.spec.key_dim)
        }
    }
}

impl Block for Attention {
    fn forward<'g>(&self, step: &Step<'g>, x: Tensor<'g>) -> Tensor<'g> {
        let AttentionSpec { n_head, n_head_kv, key_dim, value_dim, .. } = self.spec;
        let [q, k, v] = self.qkv.forward(step, x, &self.spec);
        let (q, gate) = if self.spec.gate_in_query {
            let [q, gate] = q.reshape(&[2 * key_dim, n_head]).split([key_dim; 2]);
            (q, Some(gate.sigmoid()))
        } else {
            (q, None)
        };
        let mut q = self.position(step, q, self.q_norm.as_ref(), n_head);
        if let Some(temperature) = self.spec.temperature {
            q = q * step.graph.temperature(temperature);
        }
        let k = self.position(step, k, self.k_norm.as_ref(), n_head_kv);
        debug_assert_eq!([q.dim(0), q.dim(1)], [key_dim, n_head]);
        let v = v.reshape(&[value_dim, n_head_kv]);
        let kv = step.append_kv(self.memory, k, Some(v));
        let mut y = match &self.choice {
            Some(choice) => {
                q.attention_to_chosen(kv, value_dim, self.op(), self.sinks, choice.forward(step, x, x))
            }
            None => q.attention(kv, value_dim, self.op(), self.sinks, None),
        };
        if let (Some(gate), Some(f)) = (&self.gate, self.spec.gate) {
            let gate = gate.forward(x).unary(f);
            y = y * gate.reshape(&[gate.dim(0) / n_head, n_head]);
        }
        if let Some(gate) = gate {
            y = y * gate;
        }
        y = y.reshape(&[n_head * value_dim]);
        if let Some(norm) = &self.sub_norm {
            y = norm.forward(y);
        }
        self.output.forward(y)
    }
}

/// The norm of BitNet before a projection, if the file has it.
pub(super) fn sub_norm(at: &Source<'_>, name: &str, n: usize) -> Result<Option<Norm>> {
    let load = || Norm::load(at, name, NormSpec::rms_of(at)?, n);
    at.has(&format!("{name}.weight")).then(load).transpose()
}

/// A number a head, or one an element, whichever the file has.
pub(super) fn load_gate(at: &Source<'_>, [n_embd, n_head, value_dim]: [usize; 3]) -> Result<Linear> {
    let per_head = at.extent("attn_gate.weight", 1)? == n_head;
    at.ignore("attn_gate.scale", "the reference engine does not apply it");
    let n_gate = if per_head { n_head } else { n_head * value_dim };
    Linear::load(at, "attn_gate", n_embd, n_gate)
}

impl Qkv {
    fn load(at: &Source<'_>, spec: &AttentionSpec) -> Result<Self> {
        let AttentionSpec { n_embd, n_head, n_head_kv, key_dim, value_dim, .. } = *spec;
        let [n_q, n_k, n_v] = [n_head * key_dim, n_head_kv * key_dim, n_head_kv * value_dim];
        if at.has("attn_qkv.weight") && !spec.gate_in_query {
            let qkv = Linear::load(at, "attn_qkv", n_embd, n_q + n_k + n_v)?;
            return Ok(Self::Fused(qkv.into()));
        }
        let n_gate = if spec.gate_in_query { n_q } else { 0 };
        Ok(Self::Split {
            q: Linear::load(at, "attn_q", n_embd, n_q + n_gate)?,
            k: Linear::load(at, "attn_k", n_embd, n_k)?,
            v: Linear::load(at, "attn_v", n_embd, n_v)?,
        })
    }

    fn forward<'g>(&self, step: &Step<'g>, x: Tensor<'g>, spec: &AttentionSpec) -> [Tensor<'g>; 3] {
        let AttentionSpec { n_head, n_head_kv, key_dim, value_dim, .. } = *spec;
        let qkv = match self {
            Self::Split { q, k, v } => [q, k, v].map(|linear| linear.forward(x)),
            Self::Fused(qkv) => {
                qkv.forward(step, x).split([n_head * key_dim, n_head_kv * key_dim, n_head_kv * value_dim])
            }
        };
        match spec.clamp {
            Some(limit) => qkv.map(|t| t.clamp(-limit, limit)),
            None => qkv,
        }
    }
}
