//! Where a matrix product goes: rows of a `[n_rows, n_tokens]` matrix that one thread may write.
#![expect(unsafe_code, reason = "threads write disjoint rows of one matrix, which interleave in memory")]

use std::{marker::PhantomData, ops::Range, slice};

/// A window on the output `[stride, n_tokens]`: the values `rows` of every token, and nothing else.
#[derive(Debug)]
pub struct Out<'a> {
    base: *mut f32,
    stride: usize,
    rows: Range<usize>,
    n_tokens: usize,
    owner: PhantomData<&'a mut [f32]>,
}

// SAFETY: it is an exclusive borrow of the values in its window, like `&mut [f32]`.
unsafe impl Send for Out<'_> {}

impl<'a> Out<'a> {
    /// All of `data`, which holds `n_tokens` times `stride` values.
    pub fn new(data: &'a mut [f32], stride: usize, n_tokens: usize) -> Self {
        let size = stride.checked_mul(n_tokens);
        assert_eq!(size, Some(data.len()), "an output of {stride} values for each of {n_tokens} tokens");
        Self { base: data.as_mut_ptr(), stride, rows: 0..stride, n_tokens, owner: PhantomData }
    }

    /// The window `rows` of the matrix at `base`.
    ///
    /// # Safety
    /// `base` points to `stride * n_tokens` initialized values that live for `'a`; `rows` lies within `stride`; nobody
    /// else reads or writes these rows of any token during `'a`.
    pub unsafe fn from_raw(base: *mut f32, stride: usize, n_tokens: usize, rows: Range<usize>) -> Self {
        Self { base, stride, rows, n_tokens, owner: PhantomData }
    }

    /// Two windows: the rows before `row`, and the rest.
    pub fn split_at(self, row: usize) -> (Self, Self) {
        assert!(self.rows.start <= row && row <= self.rows.end, "row {row} is outside of {:?}", self.rows);
        let below = Self { rows: self.rows.start..row, ..self };
        (below, Self { rows: row..self.rows.end, ..self })
    }

    /// The tokens of the matrix.
    pub fn n_tokens(&self) -> usize {
        self.n_tokens
    }

    /// The values of `token` at `rows`.
    #[inline(always)]
    pub(crate) fn values(&mut self, token: usize, rows: Range<usize>) -> &mut [f32] {
        assert!(token < self.n_tokens, "token {token} of {}", self.n_tokens);
        let within = self.rows.start <= rows.start && rows.start <= rows.end && rows.end <= self.rows.end;
        assert!(within, "rows {rows:?} are outside of {:?}", self.rows);
        // SAFETY: token and rows were checked to lie in the window, which this value borrows exclusively.
        unsafe { slice::from_raw_parts_mut(self.base.add(token * self.stride + rows.start), rows.len()) }
    }

    /// Sets the value of `token` at `row`.
    #[inline(always)]
    pub(crate) fn put(&mut self, token: usize, row: usize, value: f32) {
        self.values(token, row..row + 1)[0] = value;
    }
}
