//! The classifier of rerankers, on the hidden state of one token or the mean of all.

use super::{
    Error, Hparams, Linear, Mask, MemoryId, MemorySpec, Norm, NormSpec, Result, Source, Step, Tensor,
    Timeline, Unary, ValueStore,
};

/// `output(norm(f(dense x)))`; the file decides which of the parts there are.
#[derive(Debug)]
pub(crate) struct Classifier {
    mean: Option<Mean>,
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
        let output = Linear::optional(file, "cls.output", n, hp.n_label())?;
        let is_square = || Ok::<_, Error>(file.has("cls.weight") && file.extent("cls.weight", 1)? == n);
        if output.is_none() && hp.n_label() != n && is_square()? {
            file.ignore_each(&["cls.weight", "cls.bias"], "a pooler alone gives no scores");
            return Ok(None);
        }
        let n_dense = if output.is_some() { n } else { hp.n_label() };
        let dense = Linear::optional(file, "cls", n, n_dense)?;
        if dense.is_none() && output.is_none() {
            return Ok(None);
        }
        let has_norm = file.has("cls.norm.weight");
        let load_norm = || Norm::load(file, "cls.norm", NormSpec::layer(file, hp)?, n);
        let norm = has_norm.then(load_norm).transpose()?;
        Ok(Some(Self { mean: None, dense, f, norm, output, softmax: false }))
    }

    /// Judging the mean of all tokens.
    pub(crate) fn of_mean(self, file: &Source<'_>, hp: &Hparams) -> Result<Self> {
        Ok(Self { mean: Some(Mean::load(file, hp)?), ..self })
    }

    /// Giving probabilities.
    pub(crate) fn softmax(self) -> Self {
        Self { softmax: true, ..self }
    }

    /// What it judges, from the hidden states of all tokens.
    pub(crate) fn pool<'g>(&self, step: &Step<'g>, x: Tensor<'g>) -> Tensor<'g> {
        self.mean.as_ref().map_or(x, |mean| mean.forward(step, x))
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

/// The mean of a sequence, for each of its tokens: attention that finds all tokens equally interesting.
#[derive(Debug)]
struct Mean {
    memory: MemoryId,
    n_head: usize,
    head_dim: usize,
}

impl Mean {
    fn load(file: &Source<'_>, hp: &Hparams) -> Result<Self> {
        let head_dim = hp.key_dim;
        if head_dim == 0 || !hp.n_embd.is_multiple_of(head_dim) {
            let problem = format!("does not divide the {} elements of an embedding", hp.n_embd);
            return Err(Error::value(&file.full_key("attention.key_length"), head_dim, problem));
        }
        let n_head = hp.n_embd / head_dim;
        let memory = file.remember(MemorySpec::Kv {
            n_head_kv: n_head,
            key_dim: head_dim,
            value: ValueStore::Own { dim: head_dim },
            ratio: 1,
            window: None,
            timeline: Timeline::Sequence,
        });
        Ok(Self { memory, n_head, head_dim })
    }

    fn forward<'g>(&self, step: &Step<'g>, x: Tensor<'g>) -> Tensor<'g> {
        let n = x.dim(0);
        let heads = x.reshape(&[self.head_dim, self.n_head]);
        let kv = step.append_kv(self.memory, heads, Some(heads));
        let op = tensor::Attention {
            scale: 0.0,
            mask: Mask::All,
            ..tensor::Attention::causal(self.memory, self.head_dim)
        };
        heads.attention(kv, self.head_dim, op, None, None).reshape(&[n])
    }
}
