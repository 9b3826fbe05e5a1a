//! Products with weights. A weight is `[n_in, n_out]`: each of its `n_out` rows is contiguous.

use super::Op;
use crate::{Elem, Tensor, Weight};

/// Which matrix each vector is multiplied by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MatMul {
    /// `weight [n_in, n_out], x [n_in, .., r] -> [n_out, .., r]`.
    Plain,
    /// `weight [n_in, n_out, n_head], x [n_in, n_head, r] -> [n_out, n_head, r]`: a matrix a head.
    Heads,
    /// `weight [n_in, n_out, n_expert], x [n_in, 1 or n_used, r], ids i32 [n_used, r] -> [n_out, n_used, r]`:
    /// the matrices that the token's router chose.
    Experts,
}

impl<'g> Tensor<'g> {
    #[track_caller]
    pub fn matmul(self, weight: Weight) -> Self {
        let (w, x) = (weight.shape, self.shape());
        assert!(w.dim(0) == x.dim(0) && w.dim(2) == 1, "matmul of {w:?} and {x:?}");
        self.matmul_of(MatMul::Plain, weight, x.with_dim(0, w.dim(1)), &[])
    }

    #[track_caller]
    pub fn matmul_heads(self, weight: Weight) -> Self {
        let (w, x) = (weight.shape, self.shape());
        assert!(w.dim(0) == x.dim(0) && w.dim(2) == x.dim(1), "matmul_heads of {w:?} and {x:?}");
        self.matmul_of(MatMul::Heads, weight, x.with_dim(0, w.dim(1)), &[])
    }

    #[track_caller]
    pub fn matmul_experts(self, weight: Weight, ids: Self) -> Self {
        let (w, x, i) = (weight.shape, self.shape(), ids.shape());
        let n_used = i.dim(0);
        let fits = w.dim(0) == x.dim(0) && (x.dim(1) == 1 || x.dim(1) == n_used) && x.rows() == i.rows();
        assert!(fits && ids.elem() == Elem::I32, "matmul_experts of {w:?}, {x:?} and ids {i:?}");
        self.matmul_of(MatMul::Experts, weight, x.with_dims(&[w.dim(1), n_used]), &[ids])
    }

    /// Rows of a table `[n, n_rows]`, of numbers or of ids, by the ids in `self`.
    #[track_caller]
    pub fn lookup(self, table: Weight) -> Self {
        let s = self.shape();
        assert_eq!(self.elem(), Elem::I32, "lookup takes ids");
        let mut dims = vec![table.shape.dim(0)];
        dims.extend_from_slice(s.dims());
        let table = self.graph.weight(table);
        table.op_of(Op::Lookup, s.with_dims(&dims), table.elem(), &[self])
    }

    fn matmul_of(self, kind: MatMul, weight: Weight, shape: crate::Shape, rest: &[Self]) -> Self {
        let mut inputs = vec![self];
        inputs.extend_from_slice(rest);
        self.graph.weight(weight).op(Op::MatMul(kind), shape, &inputs)
    }
}
