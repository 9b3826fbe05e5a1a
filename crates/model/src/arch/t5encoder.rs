//! `t5encoder`: the encoder of T5 alone.

use super::t5::Encoder;
use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::own("t5encoder", |file, hp| {
    hp.causal = false;
    file.ignore("output.weight", "an encoder predicts no tokens");
    Ok(Box::new(T5Encoder {
        embedding: Embedding::load(file, hp)?,
        encoder: Encoder::load(file, hp, Timeline::Sequence)?,
    }))
});

#[derive(Debug)]
struct T5Encoder {
    embedding: Embedding,
    encoder: Encoder,
}

impl Architecture for T5Encoder {
    fn supports(&self, mode: Mode) -> bool {
        mode == Mode::Embeddings
    }

    fn forward<'g>(&self, step: &Step<'g>) -> Tensor<'g> {
        let x = self.embedding.forward(step);
        self.encoder.forward(step, x).select_outputs()
    }
}
