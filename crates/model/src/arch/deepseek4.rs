//! `deepseek4`: DeepSeek-V4: hyper-connections; attention to a window of tokens and to compressed tokens, whose
//! result is turned back and projected by groups of heads; DeepSeek's experts, in the first layers chosen by token.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::own("deepseek4", |file, hp| {
    let spec = HyperSpec::manifold(file, hp)?;
    Ok(Box::new(HyperDecoder {
        embedding: Embedding::load(file, hp)?,
        layers: file.layers(hp.n_layer, |at| {
            HyperLayer::load(at, hp, spec, NearAndFar::load(at, hp)?, feed_forward(at, hp)?)
        })?,
        merge: Merge::by_shares(file, spec)?,
        head: Head::load(file, hp, NormSpec::rms(file, hp)?)?,
        spec,
    }))
});

fn feed_forward(at: &Source<'_>, hp: &Hparams) -> Result<Moe> {
    at.ignore("exp_probs_b_vl.bias", "chooses the experts of images");
    let [activation, shared] = activations(at, hp)?;
    let moe = MoeSpec::by_keys(at, hp, Score::SqrtSoftplus)?;
    let moe = MoeSpec { activation, shared_activation: Some(shared), ..moe };
    if at.index() < at.get_or("hash_layer_count", 0)? {
        return Moe::by_token(at, moe, hp.n_vocab);
    }
    Moe::load(at, moe)
}

/// Of routed and of shared experts, which are bounded alike where the file says nothing of the latter.
pub(super) fn activations(at: &Source<'_>, hp: &Hparams) -> Result<[Activation; 2]> {
    let routed = Activation::clamped_silu(at, hp, "swiglu_clamp_exp")?;
    let key = "swiglu_clamp_shexp";
    let is_own = at.per_layer::<f32>(key, hp.n_layer_all())?.is_some();
    let shared = if is_own { Activation::clamped_silu(at, hp, key)? } else { routed };
    Ok([routed, shared].map(|activation| activation.unwrap_or(Activation::SILU)))
}

/// Attention to the last tokens and, in most layers, to what all tokens so far are compressed to. All heads share one vector,
/// which is key and value.
#[derive(Debug)]
struct NearAndFar {
    query_low: Linear,
    low_norm: Norm,
    query: Linear,
    query_norm: Norm,
    latent: Linear,
    latent_norm: Norm,
    sinks: Weight,
    far: Option<Far>,
    /// `[n_in, rank, n_group]`: a projection for each group of heads.
    output_low: Weight,
    output: Linear,
    memory: MemoryId,
    rope: Rope,
    window: usize,
    /// `[dim, n_head]`.
    heads: [usize; 2],
}

/// What tokens are compressed to: all of it, or what an indexer chooses.
#[derive(Debug)]
struct Far {
    compressor: Compressor,
    choice: Option<Choice>,
}

impl NearAndFar {
    fn load(at: &Source<'_>, hp: &Hparams) -> Result<Self> {
        let (dim, n_head, norm) = (hp.key_dim, hp.layer(at.index()).n_head, NormSpec::rms(at, hp)?);
        let value = |key: &str, value, problem: String| Err(Error::value(&at.full_key(key), value, problem));
        if n_head == 0 {
            return value("attention.head_count", 0, "must be positive".into());
        }
        if dim == 0 || hp.value_dim != dim {
            return value("attention.value_length", hp.value_dim, format!("must be the key length of {dim}"));
        }
        let n_group = at.extent_of("attention.output_group_count")?;
        if !n_head.is_multiple_of(n_group) {
            return value("attention.output_group_count", n_group, format!("does not divide {n_head} heads"));
        }
        let ratio = ratio(at, hp)?;
        let rope = rope(at, hp, ratio)?;
        rope.check(at, dim)?;
        let (n_embd, n_low) = (hp.n_embd, at.extent_of("attention.q_lora_rank")?);
        let (rank, n_in) = (at.extent_of("attention.output_lora_rank")?, n_head / n_group * dim);
        let window = at.extent_of("attention.sliding_window")?;
        let value = ValueStore::InKey { dim };
        let far =
            CompressorSpec { n_embd, dim, value, ratio, overlap: ratio == OVERLAPPING, window, norm, rope };
        // Converters join the groups.
        let is_flat = at.extent("attn_output_a.weight", 2)? == 1;
        let in_file = if is_flat { [n_in, rank.saturating_mul(n_group), 1] } else { [n_in, rank, n_group] };
        Ok(Self {
            query_low: Linear::load(at, "attn_q_a", n_embd, n_low)?,
            low_norm: Norm::load(at, "attn_q_a_norm", norm, n_low)?,
            query: Linear::load(at, "attn_q_b", n_low, n_head * dim)?,
            query_norm: Norm::bare(norm),
            latent: Linear::load(at, "attn_kv", n_embd, dim)?,
            latent_norm: Norm::load(at, "attn_kv_a_norm", norm, dim)?,
            sinks: at.vector("attn_sinks.weight", [n_head])?,
            far: if ratio > 0 { Some(Far::load(at, hp, n_low, far)?) } else { None },
            output_low: at.weight_as("attn_output_a.weight", in_file, [n_in, rank, n_group])?,
            output: Linear::load(at, "attn_output_b", rank.saturating_mul(n_group), n_embd)?,
            memory: at.remember(MemorySpec::Kv {
                n_head_kv: 1,
                key_dim: dim,
                value,
                ratio: 1,
                window: Some(window),
                timeline: Timeline::Sequence,
            }),
            rope,
            window,
            heads: [dim, n_head],
        })
    }
}

impl Block for NearAndFar {
    fn forward<'g>(&self, step: &Step<'g>, x: Tensor<'g>) -> Tensor<'g> {
        let [dim, n_head] = self.heads;
        let low = self.low_norm.forward(self.query_low.forward(x));
        let q = self.query_norm.forward(self.query.forward(low).reshape(&self.heads));
        let q = self.rope.forward_last(step, q);
        let latent = self.latent_norm.forward(self.latent.forward(x)).reshape(&[dim, 1]);
        let latent = step.append_kv(self.memory, self.rope.forward_last(step, latent), None);
        let near = tensor::Attention {
            mask: Mask::Window(self.window),
            sinks: true,
            log_sum: self.far.is_some(),
            ..tensor::Attention::causal(self.memory, dim)
        };
        let near = q.attention(latent, dim, near, Some(self.sinks), None);
        let y = self.far.as_ref().map_or(near, |far| near.join_attention(far.forward(step, x, low, q)));
        let y = self.rope.undo_last(step, y);
        let n_group = self.output_low.shape.dim(2);
        let y = y.reshape(&[dim * n_head / n_group, n_group]).matmul_heads(self.output_low);
        self.output.forward(y.reshape(&[y.dim(0) * n_group]))
    }
}

impl Far {
    fn load(at: &Source<'_>, hp: &Hparams, n_low: usize, spec: CompressorSpec) -> Result<Self> {
        let choice = if spec.overlap { Choice::of_compressed(at, hp, n_low, spec)? } else { None };
        Ok(Self { compressor: Compressor::load(at, "attn_compressor", spec)?, choice })
    }

    /// `low` are the vectors that queries `q` are made from.
    fn forward<'g>(&self, step: &Step<'g>, x: Tensor<'g>, low: Tensor<'g>, q: Tensor<'g>) -> Tensor<'g> {
        let chosen = self.choice.as_ref().map(|choice| choice.forward(step, x, low));
        let (dim, kv) = (q.dim(0), self.compressor.forward(step, x));
        let spec = tensor::Attention { log_sum: true, ..tensor::Attention::causal(self.compressor.memory(), dim) };
        match chosen {
            Some(chosen) => q.attention_to_chosen(kv, dim, spec, None, chosen),
            None => q.attention(kv, dim, spec, None, None),
        }
    }
}

/// The ratio of compression whose blocks overlap, and from which an indexer chooses.
const OVERLAPPING: usize = 4;

/// Tokens that are compressed to one, 0 if none are.
fn ratio(at: &Source<'_>, hp: &Hparams) -> Result<usize> {
    let key = "attention.compress_ratios";
    let ratios: Vec<u32> = at.require(key)?;
    if ratios.len() < hp.n_layer_all() {
        let found = format!("an array of {}", ratios.len());
        let problem = format!("but there are {} layers", hp.n_layer_all());
        return Err(Error::value(&at.full_key(key), found, problem));
    }
    match ratios[at.index()] {
        ratio @ (0 | 4 | 128) => Ok(ratio as usize),
        other => Err(Error::value(&at.full_key(key), other, "is not one of 0, 4, 128")),
    }
}

/// Rotates pairs of neighbours, where tokens are compressed from a base of its own and scaled as the file says.
fn rope(at: &Source<'_>, hp: &Hparams, ratio: usize) -> Result<Rope> {
    let order = RopeOrder::Interleaved;
    let n_rot = at.get_or("rope.dimension_count_swa", hp.rope.n_rot)?;
    if ratio == 0 {
        return Ok(Rope::plain(order, n_rot, hp.rope.freq_base));
    }
    let base = at.require("attention.compress_rope_freq_base")?;
    Ok(Rope::scaled(hp, order).turning(n_rot).based(base).unmagnified())
}
