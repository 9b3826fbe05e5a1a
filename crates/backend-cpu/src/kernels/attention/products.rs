//! The two products of attention, queries times keys and weights times values, for few queries and for many.

use std::marker::PhantomData;

use super::{GROUP, KEYS, Scores, Stored};
use crate::isa::{Isa, Kernel};
use crate::kernels::float::Float;

/// Calls a method that is generic over a number of queries for each group of them.
macro_rules! by_groups {
    ($n:expr, $start:ident, $T:ident => $do:expr) => {{
        let mut $start = 0;
        while $start < $n {
            let n = GROUP.min($n - $start);
            match n {
                1 => by_groups!($T, 1, $do),
                2 => by_groups!($T, 2, $do),
                3 => by_groups!($T, 3, $do),
                4 => by_groups!($T, 4, $do),
                5 => by_groups!($T, 5, $do),
                _ => by_groups!($T, 6, $do),
            }
            $start += n;
        }
    }};
    ($T:ident, $n:literal, $do:expr) => {{
        const $T: usize = $n;
        $do
    }};
}

/// The chunks of stored vector `i`.
#[inline(always)]
fn chunks_of<'a, F: Float>(x: &Stored<'a>, i: usize, chunks: usize) -> &'a [F::Chunk] {
    bytemuck::cast_slice(&x.bytes[i * x.stride..][..chunks * size_of::<F::Chunk>()])
}

/// Few queries times keys as they are stored.
pub(super) struct RowScores<'a, F> {
    pub(super) keys: Stored<'a>,
    pub(super) chunks: usize,
    pub(super) queries: &'a [[f32; 16]],
    pub(super) scores: &'a mut [Scores],
    pub(super) float: PhantomData<F>,
}

impl<F: Float> Kernel for RowScores<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(mut self, isa: I) {
        // The product of queries and keys at a time fills the registers.
        match self.scores.len() {
            1 => self.by::<I, 1, 4>(isa),
            2 => self.by::<I, 2, 2>(isa),
            3 => self.by::<I, 3, 2>(isa),
            4 => self.by::<I, 4, 1>(isa),
            5 => self.by::<I, 5, 1>(isa),
            _ => self.by::<I, 6, 1>(isa),
        }
    }
}

impl<F: Float> RowScores<'_, F> {
    #[inline(always)]
    fn by<I: Isa, const T: usize, const K: usize>(&mut self, isa: I) {
        let chunks = self.chunks;
        let queries: [_; T] = std::array::from_fn(|t| &self.queries[t * chunks..(t + 1) * chunks]);
        for first in (0..self.keys.n).step_by(K) {
            // Past the end the last key is repeated: nobody looks at its scores.
            let keys: [_; K] =
                std::array::from_fn(|k| chunks_of::<F>(&self.keys, (first + k).min(self.keys.n - 1), chunks));
            let mut sums = [[isa.splat(0.0); T]; K];
            for c in 0..chunks {
                for (key, sums) in keys.iter().zip(&mut sums) {
                    let key = F::load(isa, &key[c]);
                    for (query, sum) in queries.iter().zip(sums) {
                        *sum = isa.fma(key, isa.load(&query[c]), *sum);
                    }
                }
            }
            for (k, sums) in sums.into_iter().enumerate() {
                for (scores, sum) in self.scores.iter_mut().zip(sums) {
                    scores[(first + k) % KEYS] = isa.sum(sum);
                }
            }
        }
    }
}

/// Many queries times keys that are transposed first.
pub(super) struct PanelScores<'a, F> {
    pub(super) keys: Stored<'a>,
    pub(super) chunks: usize,
    pub(super) queries: &'a [[f32; 16]],
    /// Two panels of 16 keys: 16 numbers for each place in the keys.
    pub(super) panels: &'a mut [[f32; 16]],
    pub(super) scores: &'a mut [Scores],
    pub(super) float: PhantomData<F>,
}

impl<F: Float> Kernel for PanelScores<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(mut self, isa: I) {
        let depth = 16 * self.chunks;
        for half in 0..self.keys.n.div_ceil(16) {
            self.transpose::<I>(isa, half);
            let panel = &self.panels[half * depth..(half + 1) * depth];
            by_groups!(self.scores.len(), start, T => {
                let queries: [_; T] = std::array::from_fn(|t| {
                    self.queries[(start + t) * self.chunks..(start + t + 1) * self.chunks].as_flattened()
                });
                let sums = outer::<I, T>(isa, queries, panel, [isa.splat(0.0); T]);
                for (scores, sum) in self.scores[start..].iter_mut().zip(sums) {
                    isa.store(sum, &mut scores.as_chunks_mut::<16>().0[half]);
                }
            });
        }
    }
}

impl<F: Float> PanelScores<'_, F> {
    #[inline(always)]
    fn transpose<I: Isa>(&mut self, isa: I, half: usize) {
        let n = (self.keys.n - 16 * half).min(16);
        let panel = &mut self.panels[half * 16 * self.chunks..];
        for (c, out) in panel.as_chunks_mut::<16>().0.iter_mut().take(self.chunks).enumerate() {
            let mut square = [isa.splat(0.0); 16];
            for (i, row) in square.iter_mut().enumerate().take(n) {
                *row = F::load(isa, &chunks_of::<F>(&self.keys, 16 * half + i, self.chunks)[c]);
            }
            isa.transpose(&mut square);
            for (row, out) in square.iter().zip(out) {
                isa.store(*row, out);
            }
        }
    }
}

/// `sums[t] + sum(a[t][k] * b[k])`
#[inline(always)]
fn outer<I: Isa, const T: usize>(
    isa: I,
    a: [&[f32]; T],
    b: &[[f32; 16]],
    mut sums: [I::F32; T],
) -> [I::F32; T] {
    let n = b.len();
    let a = a.map(|a| &a[..n]);
    for k in 0..n {
        let row = isa.load(&b[k]);
        for (a, sum) in a.iter().zip(&mut sums) {
            *sum = isa.fma(isa.splat(a[k]), row, *sum);
        }
    }
    sums
}

/// Adds values times weights, which stand where the scores were.
pub(super) struct AddValues<'a, F> {
    pub(super) stored: Stored<'a>,
    pub(super) chunks: usize,
    pub(super) scores: &'a [Scores],
    pub(super) values: &'a mut [[f32; 16]],
    pub(super) float: PhantomData<F>,
}

impl<F: Float> Kernel for AddValues<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(mut self, isa: I) {
        let n = self.scores.len();
        match n {
            1 => self.by::<I, 1, 4>(isa, 0),
            2 => self.by::<I, 2, 2>(isa, 0),
            3 => self.by::<I, 3, 2>(isa, 0),
            _ => by_groups!(n, start, T => self.by::<I, T, 1>(isa, start)),
        }
    }
}

impl<F: Float> AddValues<'_, F> {
    #[inline(always)]
    fn by<I: Isa, const T: usize, const C: usize>(&mut self, isa: I, start: usize) {
        let mut c = 0;
        while c + C <= self.chunks {
            self.columns::<I, T, C>(isa, start, c);
            c += C;
        }
        for c in c..self.chunks {
            self.columns::<I, T, 1>(isa, start, c);
        }
    }

    /// Columns of `C` chunks stay in registers while all values pass.
    #[inline(always)]
    fn columns<I: Isa, const T: usize, const C: usize>(&mut self, isa: I, start: usize, column: usize) {
        let at = |t: usize, c: usize| (start + t) * self.chunks + column + c;
        let mut sums = [[isa.splat(0.0); C]; T];
        for (t, sums) in sums.iter_mut().enumerate() {
            for (c, sum) in sums.iter_mut().enumerate() {
                *sum = isa.load(&self.values[at(t, c)]);
            }
        }
        let weights: [&Scores; T] = std::array::from_fn(|t| &self.scores[start + t]);
        let size = size_of::<F::Chunk>();
        let rows = &self.stored.bytes[column * size..];
        for k in 0..self.stored.n.min(KEYS) {
            let row: &[F::Chunk] = bytemuck::cast_slice(&rows[k * self.stored.stride..][..C * size]);
            for c in 0..C {
                let v = F::load(isa, &row[c]);
                for t in 0..T {
                    sums[t][c] = isa.fma(isa.splat(weights[t][k]), v, sums[t][c]);
                }
            }
        }
        for (t, sums) in sums.into_iter().enumerate() {
            for (c, sum) in sums.into_iter().enumerate() {
                isa.store(sum, &mut self.values[(start + t) * self.chunks + column + c]);
            }
        }
    }
}
