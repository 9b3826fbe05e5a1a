//! `smallthinker`: SmallThinker: experts gated by ReLU and chosen by what enters the layer, before attention; three
//! window layers with positions to a full one without.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::own("smallthinker", |file, hp| {
    Ok(Box::new(Decoder {
        embedding: Embedding::load(file, hp)?,
        layers: file.layers(hp.n_layer, |at| Ok(EarlyRouted::load(at, hp)?.into()))?,
        head: Head::load(file, hp, NormSpec::rms(file, hp)?)?,
    }))
});

#[derive(Debug)]
struct EarlyRouted {
    norm: Norm,
    attention: Attention,
    ffn_norm: Norm,
    moe: Moe,
}

impl EarlyRouted {
    fn load(at: &Source<'_>, hp: &Hparams) -> Result<Self> {
        const WINDOW: usize = 4096;
        let norm = NormSpec::rms(at, hp)?;
        let mut spec = AttentionSpec::neox(at, hp)?;
        if at.get_or("attention.sliding_window", 0)? > 0 {
            spec = Window::of(at, hp, WINDOW, 4, Full::First)?.narrow(at, spec);
            if at.index().is_multiple_of(4) {
                spec.rope = None;
            }
        }
        let activation = Activation::Unary(Unary::Relu);
        let moe = MoeSpec { score: Score::of(at, Score::Softmax)?, activation, ..MoeSpec::softmax(at, hp)? };
        Ok(Self {
            norm: Norm::load(at, "attn_norm", norm, hp.n_embd)?,
            attention: Attention::load(at, spec)?,
            ffn_norm: Norm::load(at, "ffn_norm", norm, hp.n_embd)?,
            moe: Moe::load(at, moe)?,
        })
    }
}

impl Block for EarlyRouted {
    fn forward<'g>(&self, step: &Step<'g>, input: Tensor<'g>) -> Tensor<'g> {
        let x = self.attention.forward(step, self.norm.forward(input)) + input;
        self.moe.apply(self.ffn_norm.forward(x), input) + x
    }
}
