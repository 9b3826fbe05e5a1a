//! Recurrences along the tokens of each sequence. They read and replace a state of fixed size; sequences of unequal
//! length share a batch.

use super::Op;
use crate::{MemoryId, Tensor, Weight};

/// Depthwise causal convolution: `y[t] = sum_i weight[i] * x[t - d_conv + 1 + i] (+ bias)`. The memory keeps the last
/// `d_conv - 1` inputs, oldest first, `[n, d_conv - 1]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv1d {
    pub memory: MemoryId,
    pub d_conv: usize,
    pub bias: bool,
}

/// Each row and the `n_rows - 1` before it become one vector: their mean, or one that weighs each element for itself. The
/// memory keeps the last `n_rows - 1` rows, oldest first; before the first row of a sequence there are zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    pub memory: MemoryId,
    pub n_rows: usize,
    /// The second half of a row are scores of its first, to which `bias [n, n_rows]` is added, that of the oldest row first;
    /// their softmax over the rows weighs.
    pub weighted: bool,
}

/// `S = exp(dt * a) * S + dt * x (outer) b; y = S c`, with `dt = softplus(dt)` (Gu and Dao 2023, Dao and Gu 2024).
/// The state is `[d_state, head_dim, n_head]`. Mamba-1 is the case of `n_head = d_inner` heads of one element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SsmScan {
    pub memory: MemoryId,
    pub d_state: usize,
}

impl<'g> Tensor<'g> {
    /// `self [n, r]`, `weight [d_conv, n]`, `bias [n]`.
    #[track_caller]
    pub fn conv1d(self, memory: MemoryId, weight: Weight, bias: Option<Weight>) -> Self {
        let (s, w) = (self.shape(), weight.shape);
        assert!(s.row_len() == w.dim(1) && s.dim(0) == w.dim(1), "conv1d of {s:?} with {w:?}");
        let conv = Conv1d { memory, d_conv: w.dim(0), bias: bias.is_some() };
        let rest: Vec<_> = [Some(weight), bias].into_iter().flatten().map(|w| self.graph.weight(w)).collect();
        self.op(Op::Conv1d(conv), s, &rest)
    }

    /// The mean of each row `[n, r]` and the `n_rows - 1` before it.
    pub fn pool_mean(self, memory: MemoryId, n_rows: usize) -> Self {
        self.op(Op::Pool(Pool { memory, n_rows, weighted: false }), self.shape(), &[])
    }

    /// `self [2n, r]` are vectors and the scores of their elements, `bias [n, n_rows]`; the result is `[n, r]`.
    #[track_caller]
    pub fn pool_weighted(self, memory: MemoryId, bias: Weight) -> Self {
        let (x, n) = (self.shape(), bias.shape.dim(0));
        assert!(x.dim(0) == 2 * n && x.row_len() == 2 * n, "pool of {x:?} with {bias:?}");
        let pool = Pool { memory, n_rows: bias.shape.dim(1), weighted: true };
        self.op(Op::Pool(pool), x.with_dims(&[n]), &[self.graph.weight(bias)])
    }

    /// `self [head_dim, n_head, r]`, `dt [n_head, r]`, `a [1 or d_state, n_head]`, `b` and `c`
    /// `[d_state, n_group, r]`; heads share groups evenly.
    #[track_caller]
    pub fn ssm_scan(self, memory: MemoryId, dt: Self, a: Weight, b: Self, c: Self) -> Self {
        let (x, b_shape) = (self.shape(), b.shape());
        let d_state = b_shape.dim(0);
        assert_eq!(dt.shape().row_len(), x.dim(1), "dt {:?} for {x:?}", dt.shape());
        assert!(a.shape.dim(1) == x.dim(1) && [1, d_state].contains(&a.shape.dim(0)), "a {:?}", a.shape);
        assert!(b_shape == c.shape() && x.dim(1) % b_shape.dim(1) == 0, "b {b_shape:?}, c {:?}", c.shape());
        let a = self.graph.weight(a);
        self.op(Op::SsmScan(SsmScan { memory, d_state }), x, &[dt, a, b, c])
    }

    /// The previous row of each sequence.
    pub fn token_shift(self, memory: MemoryId) -> Self {
        self.op(Op::TokenShift { memory }, self.shape(), &[])
    }

    /// `self` is the receptance; all are `[head_size, n_head, r]`.
    #[track_caller]
    pub fn wkv7(self, memory: MemoryId, [w, k, v, a, b]: [Self; 5]) -> Self {
        for t in [w, k, v, a, b] {
            assert_eq!(t.shape(), self.shape(), "wkv7");
        }
        self.op(Op::Wkv7 { memory }, self.shape(), &[w, k, v, a, b])
    }
}
