//! Other views of the same elements: slices, reshapes, joins.

use super::Op;
use crate::Tensor;

impl<'g> Tensor<'g> {
    /// Elements `start..start + len` of extent `dim`.
    #[track_caller]
    pub fn slice(self, dim: usize, start: usize, len: usize) -> Self {
        let s = self.shape();
        assert!(start + len <= s.dim(dim), "slice {start}..{} of dim {dim} of {s:?}", start + len);
        if start == 0 && len == s.dim(dim) {
            return self;
        }
        self.op_of(Op::Slice { dim, start, len }, s.with_dim(dim, len), self.elem(), &[])
    }

    /// Consecutive parts of extent 0, which they must fill.
    #[track_caller]
    pub fn split<const N: usize>(self, sizes: [usize; N]) -> [Self; N] {
        assert_eq!(sizes.iter().sum::<usize>(), self.dim(0), "split {:?} into {sizes:?}", self.shape());
        let mut start = 0;
        sizes.map(|len| {
            start += len;
            self.slice(0, start - len, len)
        })
    }

    /// The same row under other extents.
    #[track_caller]
    pub fn reshape(self, dims: &[usize]) -> Self {
        let s = self.shape();
        assert_eq!(s.row_len(), dims.iter().product(), "reshape {s:?} to {dims:?}");
        if s.dims() == dims {
            return self;
        }
        self.op_of(Op::Reshape, s.with_dims(dims), self.elem(), &[])
    }

    /// `self`, then `next`, along extent `dim`.
    #[track_caller]
    pub fn concat(self, next: Self, dim: usize) -> Self {
        let (a, b) = (self.shape(), next.shape());
        let joined = a.with_dim(dim, a.dim(dim) + b.dim(dim));
        assert_eq!(b.with_dim(dim, joined.dim(dim)), joined, "concat {a:?} and {b:?} along {dim}");
        self.op(Op::Concat { dim }, joined, &[next])
    }

    /// Extents of 1 repeated up to `dims`.
    #[track_caller]
    pub fn repeat(self, dims: &[usize]) -> Self {
        let s = self.shape();
        let fits = dims.iter().enumerate().all(|(i, &n)| s.dim(i) == n || s.dim(i) == 1);
        assert!(fits && s.dims().len() <= dims.len(), "repeat {s:?} to {dims:?}");
        self.op(Op::Repeat, s.with_dims(dims), &[])
    }
}
