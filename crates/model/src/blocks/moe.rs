//! Mixture of experts: each token goes to the `n_used` of `n_expert` feed-forwards that its router scores highest.

use super::linear::scale;
use super::{
    Activation, Block, Dense, Error, FfnSpec, Gate, Hparams, Linear, Norm, NormSpec, Result, Source, Step,
    Tensor, Weight,
};

/// What a router's logits become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Score {
    Softmax,
    Sigmoid,
    /// Softmax over the chosen experts alone.
    SoftmaxOfChosen,
    /// `sqrt(softplus(logit))`.
    SqrtSoftplus,
}

impl Score {
    /// `expert_gating_func` of the file, or `default`.
    pub(crate) fn of(at: &Source<'_>, default: Self) -> Result<Self> {
        let key = "expert_gating_func";
        Ok(match at.get_or(key, 0)? {
            0_u32 => default,
            1 => Self::Softmax,
            2 => Self::Sigmoid,
            3 => Self::SoftmaxOfChosen,
            4 => Self::SqrtSoftplus,
            other => return Err(Error::value(&at.full_key(key), other, "is not one of 0 to 4")),
        })
    }
}

/// Keeps a sum of weights of zero from dividing: the smallest normal float16, as in the reference.
pub(crate) const SMALLEST_SUM: f32 = 6.103_515_6e-5;

/// Group-limited routing (DeepSeek-V3): only the best `n_used` of `n_group` groups of experts are eligible.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Groups {
    n_group: usize,
    n_used: usize,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct MoeSpec {
    pub(crate) n_embd: usize,
    /// Width of what routed experts work on; another than `n_embd` if they do so in a space of their own.
    pub(crate) n_latent: usize,
    pub(crate) n_expert: usize,
    pub(crate) n_used: usize,
    /// Of one expert.
    pub(crate) n_ff: usize,
    pub(crate) gate: Gate,
    pub(crate) activation: Activation,
    pub(crate) score: Score,
    /// Weights of a token's experts are divided by their sum.
    pub(crate) normalize: bool,
    /// Weights are multiplied by this.
    pub(crate) scale: f32,
    pub(crate) groups: Option<Groups>,
    /// Width of the shared experts together; 0 without.
    pub(crate) n_ff_shared: usize,
    /// Of the shared experts, if it differs.
    pub(crate) shared_activation: Option<Activation>,
    /// Weights multiply the experts' input instead of their output, and experts are chosen by logits (Llama 4).
    pub(crate) weigh_input: bool,
}

impl MoeSpec {
    /// Softmax routing with weights that sum to 1 (Mixtral), by the file's counts. Early files do not say how wide an
    /// expert is.
    pub(crate) fn softmax(at: &Source<'_>, hp: &Hparams) -> Result<Self> {
        let layer = hp.layer(at.index());
        let n_expert = Error::check_extent(&at.full_key("expert_count"), hp.n_expert)?;
        let n_used = Error::check_size(&at.full_key("expert_used_count"), layer.n_expert_used, n_expert)?;
        let n_ff = match expert_length(at, hp)? {
            Some(n_ff) => n_ff,
            None if at.has("ffn_up_exps.weight") => at.extent("ffn_up_exps.weight", 1)?,
            None => layer.n_ff,
        };
        Ok(Self {
            n_embd: hp.n_embd,
            n_latent: hp.n_embd,
            n_expert,
            n_used,
            n_ff: Error::check_extent(&at.full_key("expert_feed_forward_length"), n_ff)?,
            gate: Gate::Own,
            activation: Activation::SILU,
            score: Score::Softmax,
            normalize: true,
            scale: 1.0,
            groups: Groups::load(at, n_expert)?,
            n_ff_shared: 0,
            shared_activation: None,
            weigh_input: false,
        })
    }

    /// As the file says: scores by `expert_gating_func` or `default`, weights that sum to 1 if `expert_weights_norm`
    /// and are scaled then, shared experts (DeepSeek-V2 and what followed).
    pub(crate) fn by_keys(at: &Source<'_>, hp: &Hparams, default: Score) -> Result<Self> {
        let spec = Self::softmax(at, hp)?.with_scale(at)?.with_shared(at)?;
        let normalize = at.get_or("expert_weights_norm", false)?;
        Ok(Self { score: Score::of(at, default)?, normalize, ..spec })
    }

    /// Mixtral's experts if the file has any, SwiGLU otherwise.
    pub(crate) fn mixtral_or_dense(at: &Source<'_>, hp: &Hparams) -> Result<Box<dyn Block>> {
        if hp.n_expert == 0 {
            return Ok(Dense::load(at, FfnSpec::swiglu(at, hp)?)?.into());
        }
        Ok(Moe::load(at, Self::softmax(at, hp)?.with_shared_by_width(at)?)?.into())
    }

    /// These experts behind `leading_dense_block_count` layers of SwiGLU.
    pub(crate) fn behind_dense(self, at: &Source<'_>, hp: &Hparams) -> Result<Box<dyn Block>> {
        if at.index() < at.get_or("leading_dense_block_count", 0)? {
            return Ok(Dense::load(at, FfnSpec::swiglu(at, hp)?)?.into());
        }
        Ok(Moe::load(at, self)?.into())
    }

    /// These experts where the layer has a router, SwiGLU elsewhere. A dense network beside experts goes unused.
    pub(crate) fn where_routed(self, at: &Source<'_>, hp: &Hparams) -> Result<Box<dyn Block>> {
        if !at.has("ffn_gate_inp.weight") {
            return Ok(Dense::load(at, FfnSpec::swiglu(at, hp)?)?.into());
        }
        for part in ["ffn_gate", "ffn_up", "ffn_down"] {
            for suffix in ["weight", "scale", "input_scale"] {
                at.ignore(&format!("{part}.{suffix}"), "experts take its place");
            }
        }
        Ok(Moe::load(at, self)?.into())
    }

    /// With weights multiplied by `expert_weights_scale`. The reference engine does not read it for all models.
    pub(crate) fn with_scale(self, at: &Source<'_>) -> Result<Self> {
        let scale = at.get("expert_weights_scale")?.filter(|&scale| scale != 0.0).unwrap_or(self.scale);
        Ok(Self { scale, ..self })
    }

    /// With the layer's shared experts, as wide as their tensors: models mean different things by the keys for their
    /// width and their number. Where the layer has none, the width in the file says whether it should.
    pub(crate) fn with_shared_by_width(self, at: &Source<'_>) -> Result<Self> {
        const UP: &str = "ffn_up_shexp.weight";
        let n_ff_shared = if at.has(UP) {
            at.extent(UP, 1)?
        } else {
            at.extent_opt("expert_shared_feed_forward_length")?.unwrap_or(0)
        };
        Ok(Self { n_ff_shared, ..self })
    }

    /// The same, where their number says so too.
    pub(crate) fn with_shared(self, at: &Source<'_>) -> Result<Self> {
        let spec = self.with_shared_by_width(at)?;
        let n_shared: usize = at.get_or("expert_shared_count", 0)?;
        if spec.n_ff_shared > 0 || n_shared == 0 {
            return Ok(spec);
        }
        let key = at.full_key("expert_shared_count");
        Ok(Self { n_ff_shared: Error::check_extent(&key, n_shared.saturating_mul(self.n_ff))?, ..spec })
    }
}

/// `expert_feed_forward_length` of the layer.
pub(crate) fn expert_length(at: &Source<'_>, hp: &Hparams) -> Result<Option<usize>> {
    let key = "expert_feed_forward_length";
    let Some(lengths) = at.per_layer::<u32>(key, hp.n_layer_all())? else {
        return Ok(None);
    };
    let n_ff = lengths.get(at.index()).map_or(0, |&n| n as usize);
    if n_ff == 0 { Ok(None) } else { Error::check_extent(&at.full_key(key), n_ff).map(Some) }
}

impl Groups {
    fn load(at: &Source<'_>, n_expert: usize) -> Result<Option<Self>> {
        let n_group: usize = at.get_or("expert_group_count", 0)?;
        if n_group <= 1 {
            return Ok(None);
        }
        let n_used: usize = at.require("expert_group_used_count")?;
        let key = at.full_key("expert_group_count");
        if !n_expert.is_multiple_of(n_group) || n_expert / n_group < 2 {
            return Err(Error::value(
                &key,
                n_group,
                format!("does not divide {n_expert} experts into groups"),
            ));
        }
        if n_used == 0 || n_used >= n_group {
            let problem = format!("of {n_group} groups leaves no choice");
            return Err(Error::value(&at.full_key("expert_group_used_count"), n_used, problem));
        }
        Ok(Some(Self { n_group, n_used }))
    }
}

/// The routed experts and those that every token takes.
#[derive(Debug)]
pub(crate) struct Moe {
    router: Linear,
    choice: ExpertChoice,
    experts: Experts,
    /// Into the space of the experts and back.
    latent: Option<Latent>,
    shared: Option<Shared>,
    spec: MoeSpec,
}

/// Which experts a token goes to.
#[derive(Debug)]
enum ExpertChoice {
    /// Those with the highest scores, which the bias shifts; it shifts no weights.
    Scored { bias: Option<Weight> },
    /// By the token's id, of a table i32 `[n_used, n_vocab]`. The scores still weigh them.
    ByToken(Weight),
}

#[derive(Debug)]
struct Shared {
    dense: Dense,
    /// `sigmoid(gate x)` multiplies their result (Qwen2-MoE).
    gate: Option<Weight>,
}

impl Moe {
    pub(crate) fn load(at: &Source<'_>, spec: MoeSpec) -> Result<Self> {
        let bias = match at.vector_opt("exp_probs_b.bias", [spec.n_expert])? {
            None => at.vector_opt("exp_probs_b", [spec.n_expert])?,
            bias => bias,
        };
        Self::choosing(at, spec, ExpertChoice::Scored { bias })
    }

    /// With experts chosen by the ids of tokens (DeepSeek-V4).
    pub(crate) fn by_token(at: &Source<'_>, spec: MoeSpec, n_vocab: usize) -> Result<Self> {
        let table = at.ids("ffn_gate_tid2eid.weight", [spec.n_used, n_vocab], spec.n_expert)?;
        Self::choosing(at, spec, ExpertChoice::ByToken(table))
    }

    fn choosing(at: &Source<'_>, spec: MoeSpec, choice: ExpertChoice) -> Result<Self> {
        let MoeSpec { n_embd, n_expert, .. } = spec;
        Ok(Self {
            router: Linear::load(at, "ffn_gate_inp", n_embd, n_expert)?,
            choice,
            experts: Experts::load(at, "exps", &spec)?,
            latent: Latent::load(at, &spec)?,
            shared: if spec.n_ff_shared > 0 { Some(Shared::load(at, &spec)?) } else { None },
            spec,
        })
    }

    /// The router may look at something other than what the experts work on.
    pub(crate) fn apply<'g>(&self, x: Tensor<'g>, routed_by: Tensor<'g>) -> Tensor<'g> {
        let (experts, weights) = self.route(routed_by);
        let MoeSpec { n_latent, n_used, weigh_input, .. } = self.spec;
        let input = self.latent.as_ref().map_or(x, |latent| latent.down.forward(x)).reshape(&[n_latent, 1]);
        let routed = if weigh_input {
            self.experts.forward(input.repeat(&[n_latent, n_used]) * weights, experts)
        } else {
            self.experts.forward(input, experts) * weights
        };
        let routed = routed.sum(1).reshape(&[n_latent]);
        let routed = self.latent.as_ref().map_or(routed, |latent| latent.leave(routed));
        match &self.shared {
            Some(shared) => routed + shared.forward(x),
            None => routed,
        }
    }

    /// Which experts, and their weights `[1, n_used]`.
    fn route<'g>(&self, x: Tensor<'g>) -> (Tensor<'g>, Tensor<'g>) {
        let logits = self.router.forward(x);
        let scores = match self.spec.score {
            Score::Softmax => logits.softmax(),
            Score::Sigmoid => logits.sigmoid(),
            Score::SoftmaxOfChosen => logits,
            Score::SqrtSoftplus => logits.unary(super::Unary::Softplus).unary(super::Unary::Sqrt),
        };
        let experts = match self.choice {
            ExpertChoice::ByToken(table) => x.graph().tokens().lookup(table),
            ExpertChoice::Scored { bias } => {
                let shown = if self.spec.weigh_input { logits } else { scores };
                let shown = bias.map_or(shown, |bias| shown + bias);
                let shown = match self.spec.groups {
                    Some(groups) => shown.keep_groups(groups.n_group, groups.n_used),
                    None => shown,
                };
                shown.top_k(self.spec.n_used)
            }
        };
        let mut weights = scores.gather(experts);
        if self.spec.score == Score::SoftmaxOfChosen {
            weights = weights.softmax();
        }
        if self.spec.normalize {
            weights = weights / weights.sum(0).clamp(SMALLEST_SUM, f32::INFINITY);
        }
        if self.spec.scale != 1.0 {
            weights = weights.scale(self.spec.scale);
        }
        (experts, weights.reshape(&[1, self.spec.n_used]))
    }
}

impl Block for Moe {
    fn forward<'g>(&self, _: &Step<'g>, x: Tensor<'g>) -> Tensor<'g> {
        self.apply(x, x)
    }
}

/// The space of their own that experts work in.
#[derive(Debug)]
struct Latent {
    down: Linear,
    /// Of what the experts give.
    norm: Option<Norm>,
    up: Linear,
}

impl Latent {
    /// If the file has one.
    fn load(at: &Source<'_>, spec: &MoeSpec) -> Result<Option<Self>> {
        let names = ["ffn_latent", "ffn_routed"];
        let Some(name) = names.into_iter().find(|name| at.has(&format!("{name}_down.weight"))) else {
            return Ok(None);
        };
        let linear = |part: &str, n_in, n_out| Linear::load(at, &format!("{name}_{part}"), n_in, n_out);
        let norm = format!("{name}_norm");
        let has_norm = at.has(&format!("{norm}.weight"));
        let load_norm = || Norm::load(at, &norm, NormSpec::rms_of(at)?, spec.n_latent);
        Ok(Some(Self {
            down: linear("down", spec.n_embd, spec.n_latent)?,
            norm: has_norm.then(load_norm).transpose()?,
            up: linear("up", spec.n_latent, spec.n_embd)?,
        }))
    }

    fn leave<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
        self.up.forward(self.norm.as_ref().map_or(x, |norm| norm.forward(x)))
    }
}

impl Shared {
    fn load(at: &Source<'_>, spec: &MoeSpec) -> Result<Self> {
        let MoeSpec { n_embd, n_ff_shared: n_ff, gate, .. } = *spec;
        let activation = spec.shared_activation.unwrap_or(spec.activation);
        let name = "ffn_gate_inp_shexp.weight";
        let gate_weight = at.has(name).then(|| at.weight(name, [n_embd, 1])).transpose()?;
        let dense = Dense::named(at, "_shexp", FfnSpec { n_embd, n_ff, gate, activation })?;
        Ok(Self { dense, gate: gate_weight })
    }

    fn forward<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
        let y = self.dense.apply(x);
        match self.gate {
            Some(gate) => y * x.matmul(gate).sigmoid(),
            None => y,
        }
    }
}

/// The stacked feed-forwards.
#[derive(Debug)]
pub(crate) struct Experts {
    gate: Option<ExpertLinear>,
    up: ExpertLinear,
    down: ExpertLinear,
    /// `up` holds the gate's rows first.
    merged: bool,
    n_ff: usize,
    activation: Activation,
}

impl Experts {
    pub(crate) fn load(at: &Source<'_>, suffix: &str, spec: &MoeSpec) -> Result<Self> {
        let MoeSpec { n_latent: n_embd, n_expert, n_ff, .. } = *spec;
        let linear = |part: &str, n_in, n_out| {
            ExpertLinear::load(at, &format!("ffn_{part}_{suffix}"), n_in, n_out, n_expert)
        };
        let merged = spec.gate == Gate::Own && at.has(&format!("ffn_gate_up_{suffix}.weight"));
        Ok(Self {
            gate: if spec.gate == Gate::Own && !merged { Some(linear("gate", n_embd, n_ff)?) } else { None },
            up: if merged { linear("gate_up", n_embd, 2 * n_ff)? } else { linear("up", n_embd, n_ff)? },
            down: linear("down", n_ff, n_embd)?,
            merged,
            n_ff,
            activation: spec.activation,
        })
    }

    /// `x` is `[n_embd, 1 or n_used]`; the result is `[n_embd, n_used]`.
    pub(crate) fn forward<'g>(&self, x: Tensor<'g>, experts: Tensor<'g>) -> Tensor<'g> {
        let up = self.up.forward(x, experts);
        let (gate, up) = if self.merged {
            let [gate, up] = up.split([self.n_ff; 2]);
            (Some(gate), up)
        } else {
            (self.gate.as_ref().map(|g| g.forward(x, experts)), up)
        };
        self.down.forward(self.activation.forward(gate, up), experts)
    }
}

/// A matrix an expert, with scale and bias when the file has them.
#[derive(Debug)]
struct ExpertLinear {
    weight: Weight,
    /// `[1, n_expert]`: a table of one number a row.
    scale: Option<Weight>,
    /// `[n_out, n_expert]`.
    bias: Option<Weight>,
}

impl ExpertLinear {
    fn load(at: &Source<'_>, name: &str, n_in: usize, n_out: usize, n_expert: usize) -> Result<Self> {
        let weight = at.weight(&format!("{name}.weight"), [n_in, n_out, n_expert])?;
        let scale = scale(at, name, weight, at.scales().experts)?;
        Ok(Self { weight, scale, bias: at.vector_opt(&format!("{name}.bias"), [n_out, n_expert])? })
    }

    fn forward<'g>(&self, x: Tensor<'g>, experts: Tensor<'g>) -> Tensor<'g> {
        let mut y = x.matmul_experts(self.weight, experts);
        if let Some(scale) = self.scale {
            y = y * experts.lookup(scale);
        }
        match self.bias {
            Some(bias) => y + experts.lookup(bias),
            None => y,
        }
    }
}
