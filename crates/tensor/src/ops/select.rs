//! Choosing: top-k, gathering, reductions, output rows.

use super::Op;
use crate::{Elem, Rows, Tensor};

/// How an extent is reduced to 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reduce {
    Sum,
    Mean,
}

impl<'g> Tensor<'g> {
    /// i32 `[k, ..]`: indices of the `k` largest elements of extent 0, largest first.
    #[track_caller]
    pub fn top_k(self, k: usize) -> Self {
        self.groups_of_top_k(k, 1)
    }

    /// i32 `[k, ..]`: which group of `n_per_group` elements each of the `k` largest is in.
    #[track_caller]
    pub fn groups_of_top_k(self, k: usize, n_per_group: usize) -> Self {
        let s = self.shape();
        assert!(k <= s.dim(0) && n_per_group > 0, "top {k} of {s:?} in groups of {n_per_group}");
        self.op_of(Op::TopK { k, n_per_group }, s.with_dim(0, k), Elem::I32, &[])
    }

    /// Other ids for some: the second of the pair for its first, `otherwise` for those in no pair, or themselves.
    #[track_caller]
    pub fn remap(self, pairs: Vec<(i32, i32)>, otherwise: Option<i32>) -> Self {
        assert_eq!(self.elem(), Elem::I32, "remap takes ids");
        self.op_of(Op::Remap { pairs, otherwise }, self.shape(), Elem::I32, &[])
    }

    /// Elements of extent 0 by the indices in `ids`.
    #[track_caller]
    pub fn gather(self, ids: Self) -> Self {
        let (s, i) = (self.shape(), ids.shape());
        assert_eq!(s.with_dim(0, i.dim(0)), i, "gather from {s:?}");
        self.op(Op::Gather, i, &[ids])
    }

    /// Keeps the best `n_used` of `n_group` groups of extent 0 (DeepSeek-V3's group-limited routing).
    #[track_caller]
    pub fn keep_groups(self, n_group: usize, n_used: usize) -> Self {
        let s = self.shape();
        assert!(
            s.dim(0).is_multiple_of(n_group) && n_used <= n_group,
            "{n_used} of {n_group} groups of {s:?}"
        );
        self.op(Op::KeepGroups { n_group, n_used }, s, &[])
    }

    /// Sum over extent `dim`, which becomes 1.
    pub fn sum(self, dim: usize) -> Self {
        self.op(Op::Reduce { kind: Reduce::Sum, dim }, self.shape().with_dim(dim, 1), &[])
    }

    /// Mean over extent `dim`, which becomes 1.
    pub fn mean(self, dim: usize) -> Self {
        self.op(Op::Reduce { kind: Reduce::Mean, dim }, self.shape().with_dim(dim, 1), &[])
    }

    /// The rows whose results are wanted.
    #[track_caller]
    pub fn select_outputs(self) -> Self {
        let s = self.shape();
        assert_eq!(s.rows(), Rows::Tokens, "outputs are selected from tokens");
        self.op(Op::SelectOutputs, s.with_rows(Rows::Outputs), &[])
    }
}
