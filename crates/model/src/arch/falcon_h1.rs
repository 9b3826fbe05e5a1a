//! `falcon-h1`: Falcon-H1: attention and Mamba-2 side by side in every layer.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("falcon-h1", |at, hp| {
    at.ignore("attn_output.bias", "the reference engine does not add it");
    at.root().ignore("rope_freqs.weight", "the reference engine rotates without factors");
    let mixer = SideBySide {
        attention: Attention::load(at, AttentionSpec::neox(at, hp)?)?,
        mamba: Mamba2::load(at, hp)?,
    };
    let ffn = Dense::load(at, FfnSpec::swiglu(at, hp)?)?;
    Layer::load(at, hp, (Norms::PRE, NormSpec::rms(at, hp)?), mixer, ffn)
});

#[derive(Debug)]
struct SideBySide {
    attention: Attention,
    mamba: Mamba2,
}

impl Block for SideBySide {
    fn forward<'g>(&self, step: &Step<'g>, x: Tensor<'g>) -> Tensor<'g> {
        self.attention.forward(step, x) + self.mamba.forward(step, x)
    }
}
