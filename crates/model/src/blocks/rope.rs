//! Rotary position embedding as an architecture uses it.

use tensor::{RopeOrder, RopeTable};

use super::{Error, Hparams, Result, Source, Step, Tensor, Weight};
use crate::RopeScaling;

/// Which elements are rotated, and by which angles.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rope {
    pub(crate) order: RopeOrder,
    pub(crate) table: RopeTable,
    factors: Option<Weight>,
}

impl Rope {
    /// Pairs of neighbours.
    pub(crate) fn interleaved(at: &Source<'_>, hp: &Hparams) -> Result<Self> {
        Self::load(at, hp, RopeOrder::Interleaved)
    }

    /// Pairs of halves.
    pub(crate) fn neox(at: &Source<'_>, hp: &Hparams) -> Result<Self> {
        Self::load(at, hp, RopeOrder::Neox)
    }

    /// Unscaled, without factors.
    pub(crate) fn plain(order: RopeOrder, n_rot: usize, freq_base: f32) -> Self {
        let table = RopeTable {
            n_rot,
            freq_base,
            freq_scale: 1.0,
            ext_factor: 0.0,
            attn_factor: 1.0,
            beta_fast: 32.0,
            beta_slow: 1.0,
            n_ctx_orig: 0,
            factors: false,
            back: 0,
        };
        Self { order, table, factors: None }
    }

    fn load(at: &Source<'_>, hp: &Hparams, order: RopeOrder) -> Result<Self> {
        let factors = factors(&at.root(), hp)?;
        let rope = Self::scaled(hp, order);
        Ok(Self { table: RopeTable { factors: factors.is_some(), ..rope.table }, factors, ..rope })
    }

    /// Scaled as the file says, without factors.
    pub(crate) fn scaled(hp: &Hparams, order: RopeOrder) -> Self {
        let rope = &hp.rope;
        let yarn = rope.scaling == RopeScaling::Yarn;
        let table = RopeTable {
            freq_scale: rope.freq_scale,
            ext_factor: if yarn { 1.0 } else { 0.0 },
            attn_factor: rope.attn_factor,
            n_ctx_orig: rope.n_ctx_orig,
            ..Self::plain(order, rope.n_rot, rope.freq_base).table
        };
        Self { order, table, factors: None }
    }

    /// Cosines and sines as they are, whatever the scaling.
    pub(crate) fn unmagnified(mut self) -> Self {
        self.table.attn_factor = 1.0;
        self.with_mscale(1.0, 1.0)
    }

    /// By the position so many tokens before.
    pub(crate) fn back(mut self, n: usize) -> Self {
        self.table.back = n as u32;
        self
    }

    /// For YaRN files with a `yarn_log_multiplier`: the magnitude of the rotation becomes
    /// `mscale(rotation) / mscale(all)`, where `mscale(m) = 1 + 0.1 m ln(extension)`.
    pub(crate) fn with_mscale(mut self, rotation: f32, all: f32) -> Self {
        if self.table.ext_factor != 0.0 && all != 0.0 {
            let extension = 1.0 / self.table.freq_scale;
            let mscale = |m: f32| if extension <= 1.0 { 1.0 } else { 1.0 + 0.1 * m * extension.ln() };
            // The table multiplies by `mscale(1)` of its own.
            self.table.attn_factor *= mscale(rotation) / mscale(all) / (1.0 + 0.1 * extension.ln());
        }
        self
    }

    /// Rotates only the first `n_rot` elements, by the first of the factors.
    pub(crate) fn partial(mut self, at: &Source<'_>, n_rot: usize) -> Result<Self> {
        if n_rot == 0 || !n_rot.is_multiple_of(2) || n_rot > self.table.n_rot {
            let problem = format!("must be even, positive and at most {}", self.table.n_rot);
            return Err(Error::value(&at.full_key("rope.dimension_count"), n_rot, problem));
        }
        self.table.n_rot = n_rot;
        if let Some(factors) = &mut self.factors {
            factors.shape = factors.shape.with_dim(0, n_rot / 2);
        }
        Ok(self)
    }

    /// Rotates the first `n_rot` elements; without factors.
    pub(crate) fn turning(mut self, n_rot: usize) -> Self {
        self.table.n_rot = n_rot;
        self
    }

    /// Pairs in another order.
    pub(crate) fn ordered(self, order: RopeOrder) -> Self {
        Self { order, ..self }
    }

    /// From another base.
    pub(crate) fn based(mut self, freq_base: f32) -> Self {
        self.table.freq_base = freq_base;
        self
    }

    /// From another base without scaling.
    pub(crate) fn unscaled(mut self, freq_base: f32) -> Self {
        self.table = RopeTable { freq_base, freq_scale: 1.0, ..self.table };
        self
    }

    /// Without the per-frequency factors of the file.
    pub(crate) fn without_factors(mut self) -> Self {
        self.factors = None;
        self.table.factors = false;
        self
    }

    /// For a model without positions, whose file may have the factors of one with.
    pub(crate) fn ignore_factors(at: &Source<'_>) {
        let names = ["rope_freqs.weight", "rope_factors_long.weight", "rope_factors_short.weight"];
        at.root().ignore_each(&names, "nothing is rotated");
    }

    /// Fails unless vectors of `dim` elements can be rotated.
    pub(crate) fn check(&self, at: &Source<'_>, dim: usize) -> Result<()> {
        let n_rot = self.table.n_rot;
        let key = at.full_key("rope.dimension_count");
        if n_rot == 0 || !n_rot.is_multiple_of(2) {
            return Err(Error::value(&key, n_rot, "must be even and positive"));
        }
        if n_rot > dim {
            return Err(Error::value(&key, n_rot, format!("is more than the {dim} elements of a head")));
        }
        if self.factors.is_some_and(|f| f.shape.row_len() != n_rot / 2) {
            return Err(Error::value(&key, n_rot, "does not fit the file's rotary factors"));
        }
        Ok(())
    }

    pub(crate) fn forward<'g>(&self, step: &Step<'g>, x: Tensor<'g>) -> Tensor<'g> {
        x.rope(step.graph.rope_table(self.table, self.factors), self.order)
    }

    /// Rotates the last `n_rot` elements of each vector.
    pub(crate) fn forward_last<'g>(&self, step: &Step<'g>, x: Tensor<'g>) -> Tensor<'g> {
        self.turn_last(x, |x| self.forward(step, x))
    }

    /// Undoes [`Self::forward_last`].
    pub(crate) fn undo_last<'g>(&self, step: &Step<'g>, x: Tensor<'g>) -> Tensor<'g> {
        self.turn_last(x, |x| x.inverse_rope(step.graph.rope_table(self.table, self.factors), self.order))
    }

    fn turn_last<'g>(&self, x: Tensor<'g>, turn: impl FnOnce(Tensor<'g>) -> Tensor<'g>) -> Tensor<'g> {
        let (dim, n_rot) = (x.dim(0), self.table.n_rot);
        if n_rot == dim {
            return turn(x);
        }
        let [fixed, turned] = x.split([dim - n_rot, n_rot]);
        fixed.concat(turn(turned), 0)
    }
}

/// One divisor a frequency: Llama 3's, or one of LongRoPE's two sets, chosen by the context length in use.
fn factors(file: &Source<'_>, hp: &Hparams) -> Result<Option<Weight>> {
    let dims = [hp.rope.n_rot / 2];
    if file.has("rope_freqs.weight") {
        return file.vector("rope_freqs.weight", dims).map(Some);
    }
    let (used, other) = if hp.n_ctx > hp.rope.n_ctx_orig {
        ("rope_factors_long.weight", "rope_factors_short.weight")
    } else {
        ("rope_factors_short.weight", "rope_factors_long.weight")
    };
    file.ignore(other, "rotary factors of another context length");
    file.vector_opt(used, dims)
}
