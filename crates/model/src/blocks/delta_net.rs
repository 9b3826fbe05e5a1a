//! Linear attention by the gated delta rule: Gated DeltaNet (Yang et al. 2025), which forgets by head, and Kimi Delta
//! Attention (Kimi Team 2025), which forgets by channel. Both are RWKV-7's recurrence with other inputs.

use super::{
    Block, Error, Hparams, Linear, MemoryId, MemorySpec, Norm, NormKind, NormSpec, Result, ShortConv, Source,
    Step, Tensor, Unary, Weight,
};

/// `S = e^g S; S = S + k (x) beta (v - k S); y = q S / sqrt(d)`. `q`, `k` and `v` are `[d, n_head]`, `g` is that or
/// `[1, n_head]`, `beta` is `[1, n_head]`.
fn delta_rule<'g>(
    memory: MemoryId,
    [q, k, v]: [Tensor<'g>; 3],
    g: Tensor<'g>,
    beta: Tensor<'g>,
) -> Tensor<'g> {
    let (d, n_head) = (k.dim(0), k.dim(1));
    let decay = g.unary(Unary::Exp).repeat(&[d, n_head]);
    let removal = [k * decay, (k * beta).unary(Unary::Neg)];
    let q = q.scale(1.0 / (d as f32).sqrt());
    q.wkv7(memory, [decay, k, v * beta, removal[0], removal[1]])
}

/// `x / sqrt(sum(x^2) + eps)`.
fn unit<'g>(x: Tensor<'g>, eps: f32) -> Tensor<'g> {
    let n = x.dim(0) as f32;
    x.norm(NormKind::Rms, eps / n, None, None).scale(1.0 / n.sqrt())
}

/// How heads of keys spread over the more numerous heads of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyHeads {
    /// Each serves several value heads in a row.
    Consecutive,
    /// All of them in turn.
    Tiled,
}

/// Gated DeltaNet.
#[derive(Debug)]
pub(crate) struct DeltaNet {
    input: DeltaInput,
    conv: ShortConv,
    dt_bias: Weight,
    a: Weight,
    norm: Norm,
    /// Of the result's gate.
    gate: Unary,
    output: Linear,
    memory: MemoryId,
    shape: DeltaShape,
}

/// Of heads: their length, how many of keys, how many of values.
#[derive(Clone, Copy, Debug)]
struct DeltaShape {
    d: usize,
    n_key: usize,
    n_value: usize,
    key_heads: KeyHeads,
    eps: f32,
}

/// The projections of a layer's input.
#[derive(Debug)]
enum DeltaInput {
    Split {
        qkv: Linear,
        z: Linear,
        beta: Linear,
        alpha: Linear,
    },
    /// Rows of one matrix in groups by key head.
    Grouped {
        qkvz: Grouped,
        ba: Linear,
    },
}

#[derive(Debug)]
enum Grouped {
    Split { qkv: Linear, z: Linear },
    Whole(Linear),
}

impl DeltaNet {
    pub(crate) fn load(at: &Source<'_>, hp: &Hparams, key_heads: KeyHeads) -> Result<Self> {
        let n_embd = hp.n_embd;
        let d = at.extent_of("ssm.state_size")?;
        let (n_key, n_value) = (at.extent_of("ssm.group_count")?, at.extent_of("ssm.time_step_rank")?);
        if at.extent_of("ssm.inner_size")? != d * n_value || !n_value.is_multiple_of(n_key) {
            let problem =
                format!("heads of {d} elements for {n_key} heads of keys do not fill the inner size");
            return Err(Error::value(&at.full_key("ssm.time_step_rank"), n_value, problem));
        }
        let norm = NormSpec::rms(at, hp)?;
        let shape = DeltaShape { d, n_key, n_value, key_heads, eps: norm.eps };
        let (n_kv, n_v) = (2 * n_key * d, n_value * d);
        Ok(Self {
            input: DeltaInput::load(at, n_embd, &shape)?,
            conv: ShortConv::load(at, "ssm_conv1d", at.extent_of("ssm.conv_kernel")?, n_kv + n_v)?,
            dt_bias: at.vector("ssm_dt.bias", [n_value])?,
            a: at.vector("ssm_a", [n_value])?,
            norm: Norm::load(at, "ssm_norm", norm, d)?,
            gate: Unary::Silu,
            output: Linear::load(at, "ssm_out", n_v, n_embd)?,
            memory: at.remember(MemorySpec::State { len: d * n_v }),
            shape,
        })
    }
}

impl DeltaNet {
    /// With another function of the gate.
    pub(crate) fn gated_by(self, gate: Unary) -> Self {
        Self { gate, ..self }
    }
}

impl Block for DeltaNet {
    fn forward<'g>(&self, _: &Step<'g>, x: Tensor<'g>) -> Tensor<'g> {
        let DeltaShape { d, n_key, n_value, key_heads, eps } = self.shape;
        let [qkv, z, beta, alpha] = self.input.forward(x, &self.shape);
        let [q, k, v] = self.conv.forward(qkv).silu().split([n_key * d, n_key * d, n_value * d]);
        let spread = |x: Tensor<'g>| {
            let x = unit(x.reshape(&[d, n_key]), eps);
            let n = n_value / n_key;
            let (one, all) = match key_heads {
                KeyHeads::Consecutive => ([d, 1, n_key], [d, n, n_key]),
                KeyHeads::Tiled => ([d, n_key, 1], [d, n_key, n]),
            };
            x.reshape(&one).repeat(&all).reshape(&[d, n_value])
        };
        let decay = (alpha + self.dt_bias).unary(Unary::Softplus) * self.a;
        let by_head = |x: Tensor<'g>| x.reshape(&[1, n_value]);
        let qkv = [spread(q), spread(k), v.reshape(&[d, n_value])];
        let y = delta_rule(self.memory, qkv, by_head(decay), by_head(beta.sigmoid()));
        let y = z.reshape(&[d, n_value]).glu(self.gate, self.norm.forward(y));
        self.output.forward(y.reshape(&[n_value * d]))
    }
}

impl DeltaInput {
    fn load(at: &Source<'_>, n_embd: usize, shape: &DeltaShape) -> Result<Self> {
        let DeltaShape { d, n_key, n_value, .. } = *shape;
        let (n_qkv, n_v) = (d * (2 * n_key + n_value), d * n_value);
        let qkv = || Linear::load(at, "attn_qkv", n_embd, n_qkv);
        let z = || Linear::load(at, "attn_gate", n_embd, n_v);
        if !at.has("ssm_ba.weight") {
            let beta = Linear::load(at, "ssm_beta", n_embd, n_value)?;
            let alpha = Linear::load(at, "ssm_alpha", n_embd, n_value)?;
            return Ok(Self::Split { qkv: qkv()?, z: z()?, beta, alpha });
        }
        let qkvz = if at.has("attn_qkv.weight") {
            for suffix in ["weight", "scale", "input_scale"] {
                at.ignore(&format!("ssm_in.{suffix}"), "attn_qkv and attn_gate take its place");
            }
            Grouped::Split { qkv: qkv()?, z: z()? }
        } else {
            Grouped::Whole(Linear::load(at, "ssm_in", n_embd, n_qkv + n_v)?)
        };
        Ok(Self::Grouped { qkvz, ba: Linear::load(at, "ssm_ba", n_embd, 2 * n_value)? })
    }

    /// Queries, keys and values; the gate; beta; alpha.
    fn forward<'g>(&self, x: Tensor<'g>, shape: &DeltaShape) -> [Tensor<'g>; 4] {
        let DeltaShape { d, n_key, n_value, .. } = *shape;
        let n = n_value / n_key;
        match self {
            Self::Split { qkv, z, beta, alpha } => [qkv, z, beta, alpha].map(|linear| linear.forward(x)),
            Self::Grouped { qkvz, ba } => {
                let [beta, alpha] = ba.forward(x).reshape(&[2 * n, n_key]).split([n; 2]);
                let [beta, alpha] = [beta, alpha].map(|t| t.reshape(&[n_value]));
                match qkvz {
                    Grouped::Split { qkv, z } => [qkv.forward(x), z.forward(x), beta, alpha],
                    Grouped::Whole(linear) => {
                        let groups = linear.forward(x).reshape(&[2 * d + 2 * n * d, n_key]);
                        let [q, k, v, z] = groups.split([d, d, n * d, n * d]);
                        let [q, k] = [q, k].map(|t| t.reshape(&[d * n_key]));
                        let [v, z] = [v, z].map(|t| t.reshape(&[d * n_value]));
                        [q.concat(k, 0).concat(v, 0), z, beta, alpha]
                    }
                }
            }
        }
    }
}

/// How a channel's decay follows from what is projected for it, `x`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Decay {
    /// `a softplus(x)`.
    Softplus,
    /// `lower * sigmoid(sign * a x)`: never below `lower`.
    Bounded { lower: f32, sign: f32 },
}

/// Kimi Delta Attention.
#[derive(Debug)]
pub(crate) struct Kda {
    /// Of queries, keys and values.
    projections: [Linear; 3],
    convs: [ShortConv; 3],
    /// One projection, or two through a lower rank.
    decay: Vec<Linear>,
    dt_bias: Weight,
    a: Weight,
    forget: Decay,
    beta: Linear,
    gate: Vec<Linear>,
    norm: Norm,
    output: Linear,
    memory: MemoryId,
    /// `[d, n_head]`.
    heads: [usize; 2],
    eps: f32,
}

impl Kda {
    /// With another epsilon in the lengths of queries and keys.
    pub(crate) fn with_unit_eps(self, eps: f32) -> Self {
        Self { eps, ..self }
    }

    const UNAPPLIED: [&'static str; 8] = [
        "attn_q.scale",
        "attn_k.scale",
        "attn_v.scale",
        "attn_q.bias",
        "attn_k.bias",
        "attn_v.bias",
        "attn_output.scale",
        "ssm_beta.scale",
    ];

    pub(crate) fn load(at: &Source<'_>, hp: &Hparams, forget: Decay) -> Result<Self> {
        at.ignore_each(&Self::UNAPPLIED, "the reference engine does not apply it");
        let (n_embd, norm) = (hp.n_embd, NormSpec::rms(at, hp)?);
        let (d, n_head) = (at.extent_of("kda.head_dim")?, hp.layer(0).n_head);
        let n = Error::check_extent(&at.full_key("kda.head_dim"), d * n_head)?;
        let d_conv = at.extent_of("ssm.conv_kernel")?;
        let linear = |name: &str, n_in, n_out| Linear::load(at, name, n_in, n_out);
        let conv = |part: &str| ShortConv::load(at, &format!("ssm_conv1d_{part}"), d_conv, n);
        let chain = |first: &str, second: &str| {
            if at.has(&format!("{second}.weight")) {
                Ok(vec![linear(first, n_embd, d)?, linear(second, d, n)?])
            } else {
                Ok::<_, Error>(vec![linear(first, n_embd, n)?])
            }
        };
        let gate = if at.has("ssm_g.weight") { "ssm_g" } else { "ssm_g_a" };
        Ok(Self {
            projections: [
                linear("attn_q", n_embd, n)?,
                linear("attn_k", n_embd, n)?,
                linear("attn_v", n_embd, n)?,
            ],
            convs: [conv("q")?, conv("k")?, conv("v")?],
            decay: chain("ssm_f_a", "ssm_f_b")?,
            dt_bias: at.vector("ssm_dt.bias", [n])?,
            a: by_head(at, n_head)?,
            forget,
            beta: linear("ssm_beta", n_embd, n_head)?,
            gate: chain(gate, "ssm_g_b")?,
            norm: Norm::load(at, "ssm_norm", norm, d)?,
            output: linear("attn_output", n, n_embd)?,
            memory: at.remember(MemorySpec::State { len: d * n }),
            heads: [d, n_head],
            eps: norm.eps,
        })
    }
}

impl Block for Kda {
    fn forward<'g>(&self, _: &Step<'g>, x: Tensor<'g>) -> Tensor<'g> {
        let heads = |x: Tensor<'g>| x.reshape(&self.heads);
        let project = |chain: &[Linear]| chain.iter().fold(x, |x, linear| linear.forward(x));
        let [q, k, v] =
            [0, 1, 2].map(|i| heads(self.convs[i].forward(self.projections[i].forward(x)).silu()));
        let decay = project(&self.decay) + self.dt_bias;
        let decay = match self.forget {
            Decay::Softplus => heads(decay.unary(Unary::Softplus)) * self.a,
            Decay::Bounded { lower, sign } => (heads(decay) * self.a).scale(sign).sigmoid().scale(lower),
        };
        let beta = self.beta.forward(x).sigmoid().reshape(&[1, self.heads[1]]);
        let y = delta_rule(self.memory, [unit(q, self.eps), unit(k, self.eps), v], decay, beta);
        let y = self.norm.forward(y) * heads(project(&self.gate)).sigmoid();
        self.output.forward(y.reshape(&[self.heads[0] * self.heads[1]]))
    }
}

/// `ssm_a`, a number a head; some converters write a row.
fn by_head(at: &Source<'_>, n_head: usize) -> Result<Weight> {
    if at.extent("ssm_a", 0)? == n_head {
        return at.vector_as("ssm_a", [n_head], [1, n_head]);
    }
    at.vector("ssm_a", [1, n_head])
}
