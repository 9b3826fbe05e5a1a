//! `gemma4`: Gemma 4: windows and full layers with heads of their own sizes, values that may be the keys, last layers
//! that read the memories of earlier ones, an embedding for each layer, experts beside a dense network.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::own("gemma4", |file, hp| {
    let norm = NormSpec::rms(file, hp)?;
    let window = Window::of(file, hp, file.require("attention.sliding_window")?, 0, Full::Last)?;
    let shared: usize = file.get_or("attention.shared_kv_layers", 0)?;
    let n_own = hp.n_layer.checked_sub(shared).filter(|&n| n >= 2 || shared == 0).ok_or_else(|| {
        let problem = format!("leaves too few of {} layers", hp.n_layer);
        Error::value(&file.full_key("attention.shared_kv_layers"), shared, problem)
    })?;
    let mut layers: Vec<Layer> = Vec::new();
    for i in 0..hp.n_layer {
        let at = &file.layer(i);
        let owner = if window.covers(at) { n_own.saturating_sub(2) } else { n_own.saturating_sub(1) };
        let memory = if i < n_own { None } else { layers.get(owner).map(|layer| layer.attention.memory) };
        layers.push(Layer::load(at, hp, &window, memory)?);
    }
    let head = Head::load(file, hp, norm)?;
    Ok(Box::new(Gemma4 {
        embedding: super::gemma::embedding(file, hp)?,
        per_layer: n_own_input(file)?.map(|n| PerLayer::load(file, hp, n)).transpose()?,
        layers,
        head: head.softcapped(file.get_or("final_logit_softcapping", 30.0)?),
    }))
})
.scales(Scales::ALL);

#[derive(Debug)]
struct Gemma4 {
    embedding: Embedding,
    per_layer: Option<PerLayer>,
    layers: Vec<Layer>,
    head: Head,
}

impl Architecture for Gemma4 {
    fn forward<'g>(&self, step: &Step<'g>) -> Tensor<'g> {
        let mut x = self.embedding.forward(step);
        let inputs = self.per_layer.as_ref().map(|per_layer| per_layer.forward(step, x));
        let mut handles = Handles::new();
        for (i, layer) in self.layers.iter().enumerate() {
            let input = inputs.map(|inputs| inputs.slice(1, i, 1).reshape(&[inputs.dim(0)]));
            x = step.layer_output(layer.forward(step, x, input, &mut handles));
        }
        self.head.forward(step, x)
    }
}

/// Elements of a layer's own embedding.
fn n_own_input(at: &Source<'_>) -> Result<Option<usize>> {
    at.extent_opt("embedding_length_per_layer_input")
}

/// The embeddings that every layer has of its own.
#[derive(Debug)]
pub(super) struct PerLayer {
    table: Weight,
    projection: Linear,
    norm: Norm,
    n: usize,
    n_layer: usize,
    n_embd: usize,
}

impl PerLayer {
    /// Of `n` elements a layer.
    pub(super) fn load(file: &Source<'_>, hp: &Hparams, n: usize) -> Result<Self> {
        let n_all = n * hp.n_layer;
        Ok(Self {
            table: file.weight("per_layer_token_embd.weight", [n_all, hp.n_vocab])?,
            projection: Linear::load(file, "per_layer_model_proj", hp.n_embd, n_all)?,
            norm: Norm::load(file, "per_layer_proj_norm", NormSpec::rms(file, hp)?, n)?,
            n,
            n_layer: hp.n_layer,
            n_embd: hp.n_embd,
        })
    }

    /// `[n, n_layer]`, from the tokens and their common embedding.
    pub(super) fn forward<'g>(&self, step: &Step<'g>, x: Tensor<'g>) -> Tensor<'g> {
        let dims = [self.n, self.n_layer];
        let own = step.tokens().lookup(self.table).reshape(&dims).scale((self.n as f32).sqrt());
        let projected = self.projection.forward(x).scale(1.0 / (self.n_embd as f32).sqrt());
        (self.norm.forward(projected.reshape(&dims)) + own).scale(std::f32::consts::FRAC_1_SQRT_2)
    }
}

#[derive(Debug)]
struct Layer {
    norm: Norm,
    attention: Heads,
    post_norm: Norm,
    ffn_norm: Norm,
    ffn: Dense,
    experts: Option<Experts>,
    ffn_post_norm: Norm,
    own_input: Option<OwnInput>,
    out_scale: Option<Weight>,
}

impl Layer {
    fn load(at: &Source<'_>, hp: &Hparams, window: &Window, memory: Option<MemoryId>) -> Result<Self> {
        let norm = |name| Norm::load(at, name, NormSpec::rms(at, hp)?, hp.n_embd);
        let ffn = FfnSpec { activation: Activation::GELU, ..FfnSpec::swiglu(at, hp)? };
        Ok(Self {
            norm: norm("attn_norm")?,
            attention: Heads::load(at, attention(at, hp, window)?, memory)?,
            post_norm: norm("post_attention_norm")?,
            ffn_norm: norm("ffn_norm")?,
            ffn: Dense::load(at, ffn)?,
            experts: if at.has("ffn_gate_inp.weight") { Some(Experts::load(at, hp)?) } else { None },
            ffn_post_norm: norm("post_ffw_norm")?,
            own_input: n_own_input(at)?.map(|n| OwnInput::load(at, hp, n)).transpose()?,
            out_scale: at.vector_opt("layer_output_scale.weight", [1])?,
        })
    }

    fn forward<'g>(
        &self,
        step: &Step<'g>,
        x: Tensor<'g>,
        input: Option<Tensor<'g>>,
        handles: &mut Handles<'g>,
    ) -> Tensor<'g> {
        let mixed = self.attention.forward(step, self.norm.forward(x), handles);
        let x = self.post_norm.forward(mixed) + x;
        let mut fed = self.ffn.apply(self.ffn_norm.forward(x));
        if let Some(experts) = &self.experts {
            fed = experts.forward(fed, x);
        }
        let mut x = self.ffn_post_norm.forward(fed) + x;
        if let (Some(own), Some(input)) = (&self.own_input, input) {
            x = own.forward(x, input) + x;
        }
        self.out_scale.map_or(x, |scale| x * scale)
    }
}

/// Attention with unscaled scores, and values normalized without a gain.
#[derive(Debug)]
pub(super) struct Heads {
    q: Linear,
    q_norm: Norm,
    /// Absent where the memory is another layer's.
    kv: Option<KeyValue>,
    output: Linear,
    pub(super) memory: MemoryId,
    spec: AttentionSpec,
}

/// The memories that earlier layers have filled.
pub(super) type Handles<'g> = Vec<(MemoryId, Tensor<'g>)>;

#[derive(Debug)]
struct KeyValue {
    k: Linear,
    /// Without, values are the keys before their norm.
    v: Option<Linear>,
    k_norm: Norm,
    v_norm: Norm,
}

impl Heads {
    /// Reading the memory of another layer, if one is given.
    pub(super) fn load(at: &Source<'_>, spec: AttentionSpec, memory: Option<MemoryId>) -> Result<Self> {
        let norm = NormSpec::rms_of(at)?;
        spec.check(at)?;
        let AttentionSpec { n_embd, n_head, n_head_kv, key_dim: d, .. } = spec;
        if spec.value_dim != d {
            let problem = format!("must be the key length of {d}");
            return Err(Error::value(&at.full_key("attention.value_length"), spec.value_dim, problem));
        }
        let linear = |name: &str, n| Linear::load(at, name, n_embd, n);
        let kv = || -> Result<KeyValue> {
            Ok(KeyValue {
                k: linear("attn_k", n_head_kv * d)?,
                v: Linear::optional(at, "attn_v", n_embd, n_head_kv * d)?,
                k_norm: Norm::load(at, "attn_k_norm", norm, d)?,
                v_norm: Norm::bare(norm),
            })
        };
        if memory.is_some() {
            for part in ["attn_k", "attn_v", "attn_k_norm"] {
                for suffix in ["weight", "bias", "scale", "input_scale"] {
                    at.ignore(&format!("{part}.{suffix}"), "the layer reads the memory of another");
                }
            }
        }
        Ok(Self {
            q: linear("attn_q", n_head * d)?,
            q_norm: Norm::load(at, "attn_q_norm", norm, d)?,
            kv: if memory.is_none() { Some(kv()?) } else { None },
            output: Linear::load(at, "attn_output", n_head * d, n_embd)?,
            memory: memory.unwrap_or_else(|| at.remember(spec.memory())),
            spec,
        })
    }

    pub(super) fn forward<'g>(&self, step: &Step<'g>, x: Tensor<'g>, handles: &mut Handles<'g>) -> Tensor<'g> {
        let AttentionSpec { n_head, n_head_kv, key_dim: d, .. } = self.spec;
        let rotate = |x: Tensor<'g>| self.spec.rope.map_or(x, |rope| rope.forward(step, x));
        let q = rotate(self.q_norm.forward(self.q.forward(x).reshape(&[d, n_head])));
        if let Some(kv) = &self.kv {
            let k = kv.k.forward(x).reshape(&[d, n_head_kv]);
            let v = kv.v.as_ref().map_or(k, |v| v.forward(x).reshape(&[d, n_head_kv]));
            let (k, v) = (rotate(kv.k_norm.forward(k)), kv.v_norm.forward(v));
            handles.push((self.memory, step.append_kv(self.memory, k, Some(v))));
        }
        let found = handles.iter().find(|(memory, _)| *memory == self.memory);
        let (_, handle) = *found.expect("a layer's memory is its own or an earlier layer's");
        let op = tensor::Attention { scale: 1.0, mask: self.spec.mask, ..tensor::Attention::causal(self.memory, d) };
        self.output.forward(q.attention(handle, d, op, None, None).reshape(&[n_head * d]))
    }
}

/// Window layers have heads and rotations of their own sizes; factors are for full layers.
fn attention(at: &Source<'_>, hp: &Hparams, window: &Window) -> Result<AttentionSpec> {
    let full = AttentionSpec { rope: None, ..AttentionSpec::causal(at, hp)? };
    if !window.covers(at) {
        return Ok(AttentionSpec { rope: Some(Rope::neox(at, hp)?), ..full });
    }
    let d = at.extent_of("attention.key_length_swa")?;
    if at.extent_of("attention.value_length_swa")? != d {
        let problem = "must be the key length";
        return Err(Error::value(&at.full_key("attention.value_length_swa"), d, problem));
    }
    let n_rot = at.extent_opt("rope.dimension_count_swa")?.unwrap_or(d);
    let rope = Rope::neox(at, hp)?.without_factors().turning(n_rot);
    Ok(window.narrow_unscaled(at, AttentionSpec { key_dim: d, value_dim: d, rope: Some(rope), ..full }))
}

/// Experts beside the dense network, each behind norms of its own.
#[derive(Debug)]
struct Experts {
    dense_post_norm: Norm,
    norm: Norm,
    router_norm: Norm,
    router_scale: Weight,
    moe: Moe,
    post_norm: Norm,
    n_embd: usize,
}

impl Experts {
    fn load(at: &Source<'_>, hp: &Hparams) -> Result<Self> {
        let spec = NormSpec::rms(at, hp)?;
        let norm = |name| Norm::load(at, name, spec, hp.n_embd);
        let router_scale = at.vector("ffn_gate_inp.scale", [hp.n_embd])?;
        at.ignore("ffn_gate_inp.scale", "it scales what the router reads, not what it gives");
        Ok(Self {
            dense_post_norm: norm("post_ffw_norm_1")?,
            norm: norm("pre_ffw_norm_2")?,
            router_norm: Norm::bare(spec),
            router_scale,
            moe: Moe::load(at, MoeSpec { activation: Activation::GELU, ..MoeSpec::softmax(at, hp)? })?,
            post_norm: norm("post_ffw_norm_2")?,
            n_embd: hp.n_embd,
        })
    }

    /// `dense` is what the dense network gave, `x` what the router and the experts read.
    fn forward<'g>(&self, dense: Tensor<'g>, x: Tensor<'g>) -> Tensor<'g> {
        let routed_by = self.router_norm.forward(x).scale(1.0 / (self.n_embd as f32).sqrt()) * self.router_scale;
        let routed = self.moe.apply(self.norm.forward(x), routed_by);
        self.dense_post_norm.forward(dense) + self.post_norm.forward(routed)
    }
}

/// What a layer makes of its own embedding.
#[derive(Debug)]
pub(super) struct OwnInput {
    gate: Linear,
    projection: Linear,
    norm: Norm,
}

impl OwnInput {
    pub(super) fn load(at: &Source<'_>, hp: &Hparams, n: usize) -> Result<Self> {
        Ok(Self {
            gate: Linear::load(at, "inp_gate", hp.n_embd, n)?,
            projection: Linear::load(at, "proj", n, hp.n_embd)?,
            norm: Norm::load(at, "post_norm", NormSpec::rms(at, hp)?, hp.n_embd)?,
        })
    }

    pub(super) fn forward<'g>(&self, x: Tensor<'g>, input: Tensor<'g>) -> Tensor<'g> {
        self.norm.forward(self.projection.forward(self.gate.forward(x).glu(Unary::Gelu, input)))
    }
}
