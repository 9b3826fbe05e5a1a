//! The classifier of rerankers, on the hidden state of one token.

use super::{Hparams, Linear, Norm, NormSpec, Result, Source, Tensor, Unary};

/// `output(norm(f(dense x)))`; the file decides which of the parts there are.
#[derive(Debug)]
pub(crate) struct Classifier {
    dense: Option<Linear>,
    f: Unary,
    norm: Option<Norm>,
    output: Option<Linear>,
    /// The scores become probabilities.
    softmax: bool,
}

impl Classifier {
    /// `cls` and `cls.output`, if the file has either.
    pub(crate) fn load(file: &Source<'_>, hp: &Hparams, f: Unary) -> Result<Option<Self>> {
        let n = hp.n_embd;
        let classifier = Self {
            dense: Linear::optional(file, "cls", n, n)?,
            f,
            norm: None,
            output: Linear::optional(file, "cls.output", n, hp.n_label())?,
            softmax: false,
        };
        Ok(Some(classifier).filter(|c| c.dense.is_some() || c.output.is_some()))
    }

    /// With a norm `cls.norm` behind the dense layer, if the file has it.
    pub(crate) fn normed(self, file: &Source<'_>, hp: &Hparams, norm: NormSpec) -> Result<Self> {
        Ok(Self { norm: Norm::optional(file, "cls.norm", norm, hp.n_embd)?, ..self })
    }

    /// Giving probabilities.
    pub(crate) fn softmax(self) -> Self {
        Self { softmax: true, ..self }
    }

    pub(crate) fn forward<'g>(&self, mut x: Tensor<'g>) -> Tensor<'g> {
        if let Some(dense) = &self.dense {
            x = dense.forward(x).unary(self.f);
        }
        if let Some(norm) = &self.norm {
            x = norm.forward(x);
        }
        if let Some(output) = &self.output {
            x = output.forward(x);
        }
        if self.softmax { x.softmax() } else { x }
    }
}
