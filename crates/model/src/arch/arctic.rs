//! `arctic`: Snowflake Arctic: Llama's layers, and experts beside them that read what enters the layer.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::own("arctic", |file, hp| {
    let norm = NormSpec::rms(file, hp)?;
    let layer = |at: &Source<'_>| {
        let ffn = FfnSpec { n_ff: hp.n_embd, ..FfnSpec::swiglu(at, hp)? };
        Ok(Box::<dyn Block>::from(Beside {
            layer: Layer::dense(at, hp, norm, AttentionSpec::interleaved(at, hp)?, ffn)?,
            norm: Norm::load(at, "ffn_norm_exps", norm, hp.n_embd)?,
            moe: Moe::load(at, MoeSpec::softmax(at, hp)?)?,
        }))
    };
    Ok(Box::new(Decoder {
        embedding: Embedding::load(file, hp)?,
        layers: file.layers(hp.n_layer, layer)?,
        head: Head::load(file, hp, norm)?,
    }))
});

#[derive(Debug)]
struct Beside {
    layer: Layer,
    norm: Norm,
    moe: Moe,
}

impl Block for Beside {
    fn forward<'g>(&self, step: &Step<'g>, x: Tensor<'g>) -> Tensor<'g> {
        self.moe.forward(step, self.norm.forward(x)) + self.layer.forward(step, x)
    }
}
