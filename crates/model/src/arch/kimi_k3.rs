//! `kimi-k3`: Kimi K3: Kimi Linear with gates of full rank, experts in a space of their own, and blocks that read a
//! mixture of what earlier layers have summed up (attention residuals, Kimi Team 2026).

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::own("kimi-k3", |file, hp| {
    let n_between: usize = file.require("attn_res.block_size")?;
    Ok(Box::new(KimiK3 {
        embedding: Embedding::load(file, hp)?,
        layers: file.layers(hp.n_layer, |at| Layer::load(at, hp, n_between > 0))?,
        output_mixture: Mixture::load(file, "output_res_score", hp, n_between > 0)?,
        n_between,
        head: Head::load(file, hp, NormSpec::rms(file, hp)?)?,
    }))
});

#[derive(Debug)]
struct KimiK3 {
    embedding: Embedding,
    layers: Vec<Layer>,
    output_mixture: Option<Mixture>,
    /// The sum is banked before every so many layers, and started anew; 0 for never.
    n_between: usize,
    head: Head,
}

#[derive(Debug)]
struct Layer {
    mixture: Option<Mixture>,
    norm: Norm,
    mixer: Box<dyn Block>,
    ffn_mixture: Option<Mixture>,
    ffn_norm: Norm,
    ffn: Box<dyn Block>,
}

impl Architecture for KimiK3 {
    fn forward<'g>(&self, step: &Step<'g>) -> Tensor<'g> {
        let mut sum = self.embedding.forward(step);
        let mut banked = Vec::new();
        for (i, layer) in self.layers.iter().enumerate() {
            let input = layer.norm.forward(mixed(&layer.mixture, &banked, sum));
            let y = layer.mixer.forward(step, input);
            if self.n_between > 0 && i.is_multiple_of(self.n_between) {
                banked.push(sum);
                sum = y;
            } else {
                sum = y + sum;
            }
            let input = layer.ffn_norm.forward(mixed(&layer.ffn_mixture, &banked, sum));
            sum = step.layer_output(layer.ffn.forward(step, input) + sum);
        }
        self.head.forward(step, mixed(&self.output_mixture, &banked, sum))
    }
}

impl Layer {
    fn load(at: &Source<'_>, hp: &Hparams, mixes: bool) -> Result<Self> {
        let norm = |name| Norm::load(at, name, NormSpec::rms(at, hp)?, hp.n_embd);
        Ok(Self {
            mixture: Mixture::load(at, "attn_res_score", hp, mixes)?,
            norm: norm("attn_norm")?,
            mixer: mixer(at, hp)?,
            ffn_mixture: Mixture::load(at, "ffn_res_score", hp, mixes)?,
            ffn_norm: norm("ffn_norm")?,
            ffn: feed_forward(at, hp)?,
        })
    }
}

fn mixer(at: &Source<'_>, hp: &Hparams) -> Result<Box<dyn Block>> {
    if hp.layer(at.index()).n_head_kv == 0 {
        let decay = match at.get("kda.gate_lower_bound")? {
            Some(lower) => Decay::Bounded { lower, sign: -1.0 },
            None => Decay::Softplus,
        };
        return Ok(Kda::load(at, hp, decay)?.into());
    }
    at.ignore_each(&["attn_q.scale", "attn_output.scale"], "the reference engine does not apply it");
    let gate = at.has("attn_gate.weight").then_some(Unary::Sigmoid);
    Ok(Mla::load(at, MlaSpec { gate, ..MlaSpec::load(at, hp)? })?.into())
}

fn feed_forward(at: &Source<'_>, hp: &Hparams) -> Result<Box<dyn Block>> {
    let (beta, up_beta) = (at.require("activation.situ_beta")?, at.require("activation.situ_linear_beta")?);
    let activation = Activation::Situ { beta, up_beta };
    if at.index() < at.get_or("leading_dense_block_count", 0)? {
        return Ok(Dense::load(at, FfnSpec { activation, ..FfnSpec::swiglu(at, hp)? })?.into());
    }
    let moe = MoeSpec::by_keys(at, hp, Score::Sigmoid)?;
    let n_latent = at.extent_opt("expert_latent_length")?.unwrap_or(hp.n_embd);
    let n_shared: usize = at.get_or("expert_shared_count", 0)?;
    let key = at.full_key("expert_shared_count");
    let has_shared = at.has("ffn_gate_shexp.weight");
    let n_ff_shared = if has_shared { Error::check_extent(&key, n_shared.max(1).saturating_mul(moe.n_ff))? } else { 0 };
    Ok(Moe::load(at, MoeSpec { activation, n_latent, n_ff_shared, ..moe })?.into())
}

/// Attention over depth: of the banked sums and the current one, each by a score of itself.
#[derive(Debug)]
struct Mixture(Norm);

impl Mixture {
    fn load(at: &Source<'_>, name: &str, hp: &Hparams, mixes: bool) -> Result<Option<Self>> {
        mixes.then(|| Norm::load(at, name, NormSpec::rms(at, hp)?, hp.n_embd).map(Self)).transpose()
    }
}

fn mixed<'g>(mixture: &Option<Mixture>, banked: &[Tensor<'g>], sum: Tensor<'g>) -> Tensor<'g> {
    let (Some(Mixture(score)), false) = (mixture, banked.is_empty()) else { return sum };
    let n = sum.dim(0);
    let all = banked.iter().chain([&sum]).map(|x| x.reshape(&[n, 1]));
    let all = all.reduce(|all, x| all.concat(x, 1)).expect("the current sum is among them");
    let shares = score.forward(all).sum(0).reshape(&[all.dim(1)]).softmax();
    mix(all, shares.reshape(&[all.dim(1), 1])).reshape(&[n])
}
