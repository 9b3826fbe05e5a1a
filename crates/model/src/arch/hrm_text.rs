//! `hrm_text`: HRM-Text: two stacks of gated Llama layers, a low and a high one, that are gone through in turns over two
//! states of the same tokens, each time with memories of their own.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::own("hrm_text", |file, hp| {
    let size = |key: &str| Error::check_size(&file.full_key(key), file.require(key)?, crate::limits::MAX_LAYERS);
    let [n_stack, n_high, n_low] = [size("hrm.layers_per_stack")?, size("hrm.h_cycles")?, size("hrm.l_cycles")?];
    let n_all = n_stack.saturating_mul(n_high).saturating_mul(n_low + 1);
    if n_all != hp.n_layer {
        let problem = format!("but the cycles of the stacks make {n_all}");
        return Err(Error::value(&file.full_key("block_count"), hp.n_layer, problem));
    }
    let norm = NormSpec::rms(file, hp)?;
    let layer = |i: usize| {
        let is_high = i / n_stack % (n_low + 1) == n_low;
        let stored = i % n_stack + if is_high { n_stack } else { 0 };
        layer(&file.layer(stored), &file.layer(i), hp, norm)
    };
    let layers = (0..n_all).map(layer).collect::<Result<Vec<_>>>()?;
    let scale = file.get("embedding_scale")?.filter(|&scale| scale != 0.0).unwrap_or(1.0);
    Ok(Box::new(HrmText {
        embedding: Embedding::load(file, hp)?.scaled(scale),
        low_start: file.vector("hrm.z_l_init", [hp.n_embd])?,
        layers,
        n_stack,
        n_low,
        norm: Norm::bare(norm),
        head: Head::without_norm(file, hp)?,
    }))
});

#[derive(Debug)]
struct HrmText {
    embedding: Embedding,
    low_start: Weight,
    /// In the order they are gone through.
    layers: Vec<Layer>,
    n_stack: usize,
    /// Times the low stack is gone through before the high one.
    n_low: usize,
    /// Behind each stack.
    norm: Norm,
    head: Head,
}

impl Architecture for HrmText {
    fn forward<'g>(&self, step: &Step<'g>) -> Tensor<'g> {
        let mut high = self.embedding.forward(step);
        let mut low = None;
        for (i, stack) in self.layers.chunks_exact(self.n_stack).enumerate() {
            let sum = low.map_or_else(|| high + self.low_start, |low| high + low);
            let x = stack.iter().fold(sum, |x, layer| step.layer_output(layer.forward(step, x)));
            let x = self.norm.forward(x);
            if i % (self.n_low + 1) == self.n_low { high = x } else { low = Some(x) }
        }
        self.head.forward(step, high)
    }
}

/// The layer stored at `at`; its scales are those of its turn, `turn`.
fn layer(at: &Source<'_>, turn: &Source<'_>, hp: &Hparams, norm: NormSpec) -> Result<Layer> {
    for part in ["attn_gate", "ffn_gate", "ffn_up", "ffn_down"] {
        for suffix in ["scale", "input_scale"] {
            turn.ignore(&format!("{part}.{suffix}"), "the reference engine does not apply it");
        }
    }
    let spec = AttentionSpec { gate: Some(Unary::Sigmoid), ..AttentionSpec::neox(at, hp)? };
    let attention = Attention::load(at, spec)?.scaled_by(turn)?;
    Layer::load(at, hp, (Norms::BARE, norm), attention, Dense::load(at, FfnSpec::swiglu(at, hp)?)?)
}
