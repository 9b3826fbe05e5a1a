//! `arwkv7`: ARWKV-7: Qwen 2 whose attention has been replaced by RWKV-7's recurrence.

use super::rwkv7::TimeMix;
use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::own("arwkv7", |file, hp| {
    let norm = NormSpec::rms(file, hp)?;
    Ok(Box::new(Arwkv7 {
        embedding: Embedding::load(file, hp)?,
        layers: file.layers(hp.n_layer, |at| Layer::load(at, hp, norm))?,
        head: Head::load(file, hp, norm)?,
    }))
});

#[derive(Debug)]
struct Arwkv7 {
    embedding: Embedding,
    layers: Vec<Layer>,
    head: Head,
}

#[derive(Debug)]
struct Layer {
    norm: Norm,
    time: TimeMix,
    ffn_norm: Norm,
    ffn: Dense,
}

impl Architecture for Arwkv7 {
    fn forward<'g>(&self, step: &Step<'g>) -> Tensor<'g> {
        let mut x = self.embedding.forward(step);
        let mut first_value = None;
        for layer in &self.layers {
            x = layer.time.forward(layer.norm.forward(x), &mut first_value) + x;
            x = layer.ffn.apply(layer.ffn_norm.forward(x)) + x;
            x = step.layer_output(x);
        }
        self.head.forward(step, x)
    }
}

impl Layer {
    fn load(at: &Source<'_>, hp: &Hparams, norm: NormSpec) -> Result<Self> {
        Ok(Self {
            norm: Norm::load(at, "attn_norm", norm, hp.n_embd)?,
            time: TimeMix::load(at, hp)?,
            ffn_norm: Norm::load(at, "ffn_norm", norm, hp.n_embd)?,
            ffn: Dense::load(at, FfnSpec::swiglu(at, hp)?)?,
        })
    }
}
