//! From token ids to vectors.

use super::{Hparams, Norm, Result, Source, Step, Tensor, Weight};

/// The embedding table, and what is done to its rows before the first layer.
#[derive(Debug)]
pub(crate) struct Embedding {
    table: Weight,
    /// Learned absolute positions, `[n_embd, n_ctx]`.
    positions: Option<Weight>,
    /// The vector of the first type of token, `[n_embd]`.
    first_type: Option<Weight>,
    scale: f32,
    norm: Option<Norm>,
}

impl Embedding {
    pub(crate) fn load(file: &Source<'_>, hp: &Hparams) -> Result<Self> {
        Self::of(file, hp, "token_embd.weight")
    }

    /// With the table of another name.
    pub(crate) fn of(file: &Source<'_>, hp: &Hparams, table: &str) -> Result<Self> {
        let table = file.weight(table, [hp.n_embd, hp.n_vocab])?;
        Ok(Self { table, positions: None, first_type: None, scale: 1.0, norm: None })
    }

    /// Multiplies each row.
    pub(crate) fn scaled(self, scale: f32) -> Self {
        Self { scale, ..self }
    }

    pub(crate) fn normed(self, norm: Norm) -> Self {
        Self { norm: Some(norm), ..self }
    }

    /// Adds `position_embd`, a row a position.
    pub(crate) fn with_positions(self, file: &Source<'_>, hp: &Hparams) -> Result<Self> {
        let positions = file.weight("position_embd.weight", [hp.n_embd, hp.n_ctx_train])?;
        Ok(Self { positions: Some(positions), ..self })
    }

    /// Adds the first of `token_types`: segments are not told apart.
    pub(crate) fn with_type(self, file: &Source<'_>, hp: &Hparams) -> Result<Self> {
        let name = "token_types.weight";
        if !file.has(name) {
            return Ok(self);
        }
        let n_types = file.extent(name, 1)?;
        let table = file.vector(name, [hp.n_embd, n_types])?;
        // The rows behind the first go unread.
        let first = Weight { shape: table.shape.with_dims(&[hp.n_embd]), ..table };
        Ok(Self { first_type: Some(first), ..self })
    }

    pub(crate) fn forward<'g>(&self, step: &Step<'g>) -> Tensor<'g> {
        let mut x = step.tokens().lookup(self.table);
        if self.scale != 1.0 {
            x = x.scale(self.scale);
        }
        if let Some(first) = self.first_type {
            x = x + first;
        }
        if let Some(positions) = self.positions {
            x = x + step.positions().lookup(positions);
        }
        match &self.norm {
            Some(norm) => norm.forward(x),
            None => x,
        }
    }
}
