//! Models that give out hidden states: layers between an embedding and a last norm, without scores of tokens.

use super::{
    Architecture, Attention, AttentionSpec, Block, Classifier, Embedding, Hparams, Linear, Mode, Norm,
    NormSpec, Result, Source, Step, Tensor,
};

#[derive(Debug)]
pub(crate) struct Encoder {
    pub(crate) embedding: Embedding,
    pub(crate) layers: Vec<Box<dyn Block>>,
    pub(crate) norm: Option<Norm>,
    /// Behind the norm, one after the other.
    pub(crate) projections: Vec<Linear>,
    pub(crate) classifier: Option<Classifier>,
}

impl Architecture for Encoder {
    fn supports(&self, mode: Mode) -> bool {
        match mode {
            Mode::Embeddings => true,
            Mode::Scores => self.classifier.is_some(),
            Mode::Logits | Mode::Encode => false,
        }
    }

    fn forward<'g>(&self, step: &Step<'g>) -> Tensor<'g> {
        let mut x = self.embedding.forward(step);
        for layer in &self.layers {
            x = step.layer_output(layer.forward(step, x));
        }
        if let Some(norm) = &self.norm {
            x = norm.forward(x);
        }
        match (step.mode, &self.classifier) {
            (Mode::Scores, Some(classifier)) => classifier.forward(classifier.pool(step, x).select_outputs()),
            _ => self.projections.iter().fold(x.select_outputs(), |x, projection| projection.forward(x)),
        }
    }
}

/// A layer that normalizes sums instead of inputs (BERT).
#[derive(Debug)]
pub(crate) struct PostNormLayer {
    attention: Attention,
    attention_norm: Norm,
    /// Of the sum with the layer's input once more (Jina v2 for code).
    second_norm: Option<Norm>,
    ffn: Box<dyn Block>,
    output_norm: Norm,
}

impl PostNormLayer {
    pub(crate) fn load(
        at: &Source<'_>,
        hp: &Hparams,
        attention: AttentionSpec,
        ffn: impl Into<Box<dyn Block>>,
    ) -> Result<Self> {
        let norm = NormSpec::layer(at, hp)?;
        Ok(Self {
            attention: Attention::load(at, attention)?,
            attention_norm: Norm::load(at, "attn_output_norm", norm, hp.n_embd)?,
            second_norm: Norm::optional(at, "attn_norm_2", norm, hp.n_embd)?,
            ffn: ffn.into(),
            output_norm: Norm::load(at, "layer_output_norm", norm, hp.n_embd)?,
        })
    }
}

impl Block for PostNormLayer {
    fn forward<'g>(&self, step: &Step<'g>, input: Tensor<'g>) -> Tensor<'g> {
        let mut x = self.attention_norm.forward(self.attention.forward(step, input) + input);
        if let Some(norm) = &self.second_norm {
            x = norm.forward(x + input);
        }
        self.output_norm.forward(self.ffn.forward(step, x) + x)
    }
}
