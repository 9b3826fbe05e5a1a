//! The classifier of rerankers, on the hidden state of one token.

use super::{Hparams, Linear, Result, Source, Tensor, Unary};

/// `output(f(dense x))`; the file decides which of the parts there are.
#[derive(Debug)]
pub(crate) struct Classifier {
    dense: Option<Linear>,
    f: Unary,
    output: Option<Linear>,
    /// The scores become probabilities.
    softmax: bool,
}

impl Classifier {
    /// `cls` and `cls.output`, if the file has either.
    pub(crate) fn load(file: &Source<'_>, hp: &Hparams, f: Unary) -> Result<Option<Self>> {
        let n = hp.n_embd;
        let output = Linear::optional(file, "cls.output", n, hp.n_label())?;
        let n_dense = if output.is_some() { n } else { hp.n_label() };
        let dense = Linear::optional(file, "cls", n, n_dense)?;
        let classifier = Self { dense, f, output, softmax: false };
        Ok(Some(classifier).filter(|c| c.dense.is_some() || c.output.is_some()))
    }

    /// Giving probabilities.
    pub(crate) fn softmax(self) -> Self {
        Self { softmax: true, ..self }
    }

    pub(crate) fn forward<'g>(&self, mut x: Tensor<'g>) -> Tensor<'g> {
        if let Some(dense) = &self.dense {
            x = dense.forward(x).unary(self.f);
        }
        if let Some(output) = &self.output {
            x = output.forward(x);
        }
        if self.softmax { x.softmax() } else { x }
    }
}
