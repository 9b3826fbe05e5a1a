//! `gemma3n`: Gemma 3n: four streams of which a layer works on one and predicts the others (AltUp, Baykal et al. 2023), a
//! low-rank branch beside the attention (Laurel), an embedding for each layer, last layers that read the memories of
//! earlier ones.

use super::gemma4::{Handles, Heads, OwnInput, PerLayer};
use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::own("gemma3n", |file, hp| {
    let window = Window::of(file, hp, file.require("attention.sliding_window")?, 5, Full::Last)?;
    let mut layers: Vec<Layer> = Vec::new();
    for i in 0..hp.n_layer {
        let at = &file.layer(i);
        let owner = if window.covers(at) { N_OWN_MEMORY - 2 } else { N_OWN_MEMORY - 1 };
        let memory = if i < N_OWN_MEMORY { None } else { layers.get(owner).map(|layer| layer.attention.memory) };
        layers.push(Layer::load(at, hp, &window, memory)?);
    }
    let n_own = Error::check_extent("per_layer_proj_norm.weight", file.extent("per_layer_proj_norm.weight", 0)?)?;
    Ok(Box::new(Gemma3n {
        embedding: super::gemma::embedding(file, hp)?,
        per_layer: PerLayer::load(file, hp, n_own)?,
        spread: file.weight("altup_proj.weight", [hp.n_embd, hp.n_embd, N_STREAM - 1])?,
        layers,
        merge: file.weight("altup_unembd_proj.weight", [hp.n_embd, hp.n_embd, N_STREAM - 1])?,
        head: Head::load(file, hp, NormSpec::rms(file, hp)?)?.softcapped(30.0),
    }))
});

/// The first of them is what a layer works on.
const N_STREAM: usize = 4;
/// The layers behind these read the memory of the last of their kind here.
const N_OWN_MEMORY: usize = 20;
/// The first layers, whose gates keep only what exceeds the mean by `SPARSITY` standard deviations: one in twenty.
const N_SPARSE: usize = 10;
const SPARSITY: f32 = 1.644_853_4;

#[derive(Debug)]
struct Gemma3n {
    embedding: Embedding,
    per_layer: PerLayer,
    /// From the embedding to the other streams, and from them back.
    spread: Weight,
    merge: Weight,
    layers: Vec<Layer>,
    head: Head,
}

impl Architecture for Gemma3n {
    fn forward<'g>(&self, step: &Step<'g>) -> Tensor<'g> {
        let x = self.embedding.forward(step);
        let n = x.dim(0);
        let inputs = self.per_layer.forward(step, x);
        let x = x.reshape(&[n, 1]);
        let others = x.repeat(&[n, N_STREAM - 1]).matmul_heads(self.spread);
        let mut streams = x.concat(as_long_as(x, others), 1);
        let mut handles = Handles::new();
        for (i, layer) in self.layers.iter().enumerate() {
            let input = inputs.slice(1, i, 1).reshape(&[inputs.dim(0)]);
            streams = step.layer_output(layer.forward(step, streams, input, &mut handles));
        }
        let first = streams.slice(1, 0, 1);
        let others = streams.slice(1, 1, N_STREAM - 1).matmul_heads(self.merge);
        let merged = first.concat(as_long_as(first, others), 1).mean(1);
        self.head.forward(step, merged.reshape(&[n]))
    }
}

/// `x` stretched to the length of `model`.
fn as_long_as<'g>(model: Tensor<'g>, x: Tensor<'g>) -> Tensor<'g> {
    let length = |x: Tensor<'g>| x.unary(Unary::Square).sum(0).unary(Unary::Sqrt);
    x * length(model) / length(x)
}

#[derive(Debug)]
struct Layer {
    altup: AltUp,
    norm: Norm,
    laurel: [Linear; 2],
    laurel_norm: Norm,
    attention: Heads,
    post_norm: Norm,
    ffn_norm: Norm,
    ffn: SparseGeglu,
    ffn_post_norm: Norm,
    own_input: OwnInput,
}

impl Layer {
    fn load(at: &Source<'_>, hp: &Hparams, window: &Window, memory: Option<MemoryId>) -> Result<Self> {
        let n = hp.n_embd;
        let norm = |name| Norm::load(at, name, NormSpec::rms(at, hp)?, n);
        if memory.is_some() {
            at.ignore_each(&["attn_q.bias", "attn_q.scale"], "the reference engine does not apply it");
        }
        let spec = window.narrow_unscaled(at, AttentionSpec { scale: 1.0, ..AttentionSpec::neox(at, hp)? });
        let rank = Error::check_extent("laurel_l.weight", at.extent("laurel_l.weight", 1)?)?;
        let n_own = Error::check_extent("inp_gate.weight", at.extent("inp_gate.weight", 1)?)?;
        Ok(Self {
            altup: AltUp::load(at, hp)?,
            norm: norm("attn_norm")?,
            laurel: [Linear::load(at, "laurel_l", n, rank)?, Linear::load(at, "laurel_r", rank, n)?],
            laurel_norm: norm("laurel_post_norm")?,
            attention: Heads::load(at, spec, memory)?,
            post_norm: norm("post_attention_norm")?,
            ffn_norm: norm("ffn_norm")?,
            ffn: SparseGeglu::load(at, hp)?,
            ffn_post_norm: norm("post_ffw_norm")?,
            own_input: OwnInput::load(at, hp, n_own)?,
        })
    }

    fn forward<'g>(
        &self,
        step: &Step<'g>,
        streams: Tensor<'g>,
        input: Tensor<'g>,
        handles: &mut Handles<'g>,
    ) -> Tensor<'g> {
        let n = streams.dim(0);
        let predicted = self.altup.predict(streams);
        let x = predicted.slice(1, 0, 1).reshape(&[n]);

        let normed = self.norm.forward(x);
        let [down, up] = &self.laurel;
        let laurel = self.laurel_norm.forward(up.forward(down.forward(normed))) + normed;
        let mixed = self.post_norm.forward(self.attention.forward(step, normed, handles)) + x;
        let x = (mixed + laurel).scale(std::f32::consts::FRAC_1_SQRT_2);
        let x = self.ffn_post_norm.forward(self.ffn.forward(self.ffn_norm.forward(x))) + x;

        let corrected = self.altup.correct(predicted, x);
        let [first, others] = [(0, 1), (1, N_STREAM - 1)].map(|(start, n)| corrected.slice(1, start, n));
        let own = self.own_input.forward(first.reshape(&[n]) * self.altup.scale, input);
        first.concat(others + own.reshape(&[n, 1]), 1)
    }
}

/// Each stream is predicted as a mixture of all; what the layer changes in the first corrects the others.
#[derive(Debug)]
struct AltUp {
    router_norm: Norm,
    router: Weight,
    predict: Linear,
    correct: Linear,
    /// Of the corrected first stream, where it meets the layer's own input.
    scale: Weight,
    n_embd: usize,
}

impl AltUp {
    fn load(at: &Source<'_>, hp: &Hparams) -> Result<Self> {
        let n = hp.n_embd;
        Ok(Self {
            router_norm: Norm::load(at, "altup_router_norm", NormSpec::rms(at, hp)?, n)?,
            router: at.weight("altup_router.weight", [n, N_STREAM])?,
            predict: Linear::load(at, "altup_predict_coef", N_STREAM, N_STREAM * N_STREAM)?,
            correct: Linear::load(at, "altup_correct_coef", N_STREAM, N_STREAM)?,
            scale: at.vector("altup_correct_scale.weight", [n])?,
            n_embd: n,
        })
    }

    fn modalities<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
        self.router_norm.forward(x).scale(1.0 / self.n_embd as f32).matmul(self.router).tanh()
    }

    /// `streams` is `[n_embd, n_stream]`.
    fn predict<'g>(&self, streams: Tensor<'g>) -> Tensor<'g> {
        let first = streams.slice(1, 0, 1).reshape(&[self.n_embd]);
        let shares = self.predict.forward(self.modalities(first)).reshape(&[N_STREAM, N_STREAM]);
        mix(streams, shares) + streams
    }

    /// `x` is what became of the first stream.
    fn correct<'g>(&self, predicted: Tensor<'g>, x: Tensor<'g>) -> Tensor<'g> {
        let shares = self.correct.forward(self.modalities(x)).affine(1.0, 1.0);
        let change = x.reshape(&[self.n_embd, 1]) - predicted.slice(1, 0, 1);
        change.repeat(&[self.n_embd, N_STREAM]) * shares.reshape(&[1, N_STREAM]) + predicted
    }
}

/// A feed-forward gated by GELU, in the first layers of the few greatest elements alone.
#[derive(Debug)]
struct SparseGeglu {
    gate: Linear,
    up: Linear,
    down: Linear,
    is_sparse: bool,
}

impl SparseGeglu {
    fn load(at: &Source<'_>, hp: &Hparams) -> Result<Self> {
        let FfnSpec { n_embd, n_ff, .. } = FfnSpec::swiglu(at, hp)?;
        let linear = |name, n_in, n_out| Linear::in_ffn(at, name, [n_in, n_out], at.scales().ffn);
        Ok(Self {
            gate: linear("ffn_gate", n_embd, n_ff)?,
            up: linear("ffn_up", n_embd, n_ff)?,
            down: linear("ffn_down", n_ff, n_embd)?,
            is_sparse: at.index() < N_SPARSE,
        })
    }

    fn forward<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
        let mut gate = self.gate.forward(x);
        if self.is_sparse {
            let (n, mean) = (gate.dim(0) as f32, gate.mean(0));
            let squares = (gate - mean).unary(Unary::Square).sum(0);
            let deviation = squares.scale(1.0 / (n - 1.0)).unary(Unary::Sqrt);
            gate = (gate - (mean + deviation.scale(SPARSITY))).unary(Unary::Relu);
        }
        self.down.forward(gate.glu(Unary::Gelu, self.up.forward(x)))
    }
}
