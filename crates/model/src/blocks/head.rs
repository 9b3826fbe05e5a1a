//! From hidden states to the scores of the next token.

use super::{Classifier, Hparams, Linear, Mode, Norm, NormSpec, Result, Source, Step, Tensor};

/// The final norm and the projection to the vocabulary, on the rows whose results are wanted.
#[derive(Debug)]
pub(crate) struct Head {
    norm: Option<Norm>,
    output: Linear,
    scale: f32,
    softcap: Option<f32>,
    classifier: Option<Classifier>,
    /// Of hidden states that are given out.
    projection: Option<Linear>,
}

impl Head {
    /// With the final norm `output_norm` and the matrix `output`, which is the embedding table if absent.
    pub(crate) fn load(file: &Source<'_>, hp: &Hparams, norm: NormSpec) -> Result<Self> {
        Self::with(file, hp, Norm::load(file, "output_norm", norm, hp.n_embd)?)
    }

    /// With another final norm.
    pub(crate) fn with(file: &Source<'_>, hp: &Hparams, norm: Norm) -> Result<Self> {
        Ok(Self { norm: Some(norm), ..Self::without_norm(file, hp)? })
    }

    /// On hidden states that are normalized already.
    pub(crate) fn without_norm(file: &Source<'_>, hp: &Hparams) -> Result<Self> {
        let table = if file.has("output.weight") { "output.weight" } else { "token_embd.weight" };
        let weight = file.weight(table, [hp.n_embd, hp.n_vocab])?;
        let output = Linear::with(file, "output", weight, hp.n_vocab)?;
        Ok(Self { norm: None, output, scale: 1.0, softcap: None, classifier: None, projection: None })
    }

    /// Multiplies the scores.
    pub(crate) fn scaled(self, scale: f32) -> Self {
        Self { scale, ..self }
    }

    /// Bounds the scores to `cap * tanh(score / cap)`, after scaling. Zero means no bound.
    pub(crate) fn softcapped(self, cap: f32) -> Self {
        Self { softcap: (cap != 0.0).then_some(cap), ..self }
    }

    /// With a classifier for [`Mode::Scores`].
    pub(crate) fn classified(self, classifier: Option<Classifier>) -> Self {
        Self { classifier, ..self }
    }

    /// With a projection of the hidden states it gives out.
    pub(crate) fn projected(self, projection: Option<Linear>) -> Self {
        Self { projection, ..self }
    }

    pub(crate) fn has_classifier(&self) -> bool {
        self.classifier.is_some()
    }

    pub(crate) fn forward<'g>(&self, step: &Step<'g>, x: Tensor<'g>) -> Tensor<'g> {
        let x = x.select_outputs();
        let hidden = self.norm.as_ref().map_or(x, |norm| norm.forward(x));
        match (step.mode, &self.classifier) {
            (Mode::Logits, _) => self.logits(hidden),
            (Mode::Scores, Some(classifier)) => classifier.forward(hidden),
            _ => self.projection.as_ref().map_or(hidden, |projection| projection.forward(hidden)),
        }
    }

    fn logits<'g>(&self, hidden: Tensor<'g>) -> Tensor<'g> {
        let mut logits = self.output.forward(hidden);
        if self.scale != 1.0 {
            logits = logits.scale(self.scale);
        }
        match self.softcap {
            Some(cap) => logits.scale(1.0 / cap).tanh().scale(cap),
            None => logits,
        }
    }
}
