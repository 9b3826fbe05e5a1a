//! Rotary position embedding (Su et al. 2021). The angles are computed once a step, as a table that every layer with
//! the same parameters shares.

use super::{Input, Op};
use crate::{Elem, Graph, Node, Rows, Shape, Tensor, Weight};

/// Which elements of a vector are rotated together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RopeOrder {
    /// Neighbours `(2i, 2i + 1)`: "normal" in llama.cpp.
    Interleaved,
    /// Halves `(i, i + n_rot / 2)`: GPT-NeoX.
    Neox,
}

/// How many positions a token has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Positions {
    /// One: its place in the sequence.
    Linear,
}

/// `[n_rot, r]`: for pair `i`, element `2i` is `m cos(a)` and `2i + 1` is `m sin(a)`, with
/// `a = (position - back) * freq_base^(-2i / n_rot)` adjusted by the scaling parameters (linear; YaRN, Peng et al. 2023) and
/// divided by the optional input `factors [n_rot / 2]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RopeTable {
    pub n_rot: usize,
    pub freq_base: f32,
    /// Angles are multiplied by this: one over the context extension.
    pub freq_scale: f32,
    /// Share of YaRN's extrapolation, 0 to 1.
    pub ext_factor: f32,
    /// Multiplies cosines and sines.
    pub attn_factor: f32,
    pub beta_fast: f32,
    pub beta_slow: f32,
    /// The context length the model was trained with, for YaRN's ramp.
    pub n_ctx_orig: usize,
    pub factors: bool,
    /// Positions are counted from so many tokens further on: the table of a token has the angles of the one so far before
    /// it.
    pub back: u32,
}

/// Rotates the first `n_rot` elements of each vector; the rest pass through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rope {
    pub n_rot: usize,
    pub order: RopeOrder,
    /// The other way round, which undoes it.
    pub inverse: bool,
}

impl Graph {
    /// The table of a step; the same parameters give the same node.
    #[track_caller]
    pub fn rope_table(&self, table: RopeTable, factors: Option<Weight>) -> Tensor<'_> {
        assert_eq!(table.factors, factors.is_some(), "rope factors");
        let positions = self.input(Input::Positions(Positions::Linear), &[1]);
        let mut inputs = vec![positions.id];
        if let Some(w) = factors {
            assert_eq!(w.shape.row_len(), table.n_rot / 2, "rope factors {:?}", w.shape);
            inputs.push(self.weight(w).id);
        }
        let shape = Shape::new(&[table.n_rot], Rows::Tokens);
        self.shared(Node { op: Op::RopeTable(table), inputs, shape, elem: Elem::F32 })
    }
}

impl<'g> Tensor<'g> {
    /// `self [d, n_head, r]` with `d` at least the table's `n_rot`.
    #[track_caller]
    pub fn rope(self, table: Self, order: RopeOrder) -> Self {
        self.rotate(table, order, false)
    }

    /// The inverse of [`Self::rope`], where the table's magnitude is 1.
    #[track_caller]
    pub fn inverse_rope(self, table: Self, order: RopeOrder) -> Self {
        self.rotate(table, order, true)
    }

    #[track_caller]
    fn rotate(self, table: Self, order: RopeOrder, inverse: bool) -> Self {
        let (s, n_rot) = (self.shape(), table.dim(0));
        assert!(n_rot <= s.dim(0) && n_rot % 2 == 0, "rope of {n_rot} elements on {s:?}");
        self.op(Op::Rope(Rope { n_rot, order, inverse }), s, &[table])
    }
}
