//! Matrix products of `F32`, `F16` and `BF16` weights with `f32` activations, in `f32` throughout: weights are
//! widened, activations never rounded.

use std::{marker::PhantomData, ops::Range};

use bytemuck::Pod;

use super::{Out, Weights, tile::put};
use crate::isa::{Isa, Kernel};

/// A float type of weights.
pub(crate) trait Float: 'static {
    /// 16 values as they are stored.
    type Chunk: Pod;

    fn load<I: Isa>(isa: I, chunk: &Self::Chunk) -> I::F32;
}

/// IEEE single precision.
pub(crate) enum F32 {}
/// IEEE half precision.
pub(crate) enum F16 {}
/// The upper half of an `F32`.
pub(crate) enum Bf16 {}

impl Float for F32 {
    type Chunk = [u8; 64];
    #[inline(always)]
    fn load<I: Isa>(isa: I, chunk: &[u8; 64]) -> I::F32 {
        isa.bytes_as_lanes(isa.load_bytes(chunk))
    }
}

impl Float for F16 {
    type Chunk = [u8; 32];
    #[inline(always)]
    fn load<I: Isa>(isa: I, chunk: &[u8; 32]) -> I::F32 {
        isa.load_f16(chunk)
    }
}

impl Float for Bf16 {
    type Chunk = [u8; 32];
    #[inline(always)]
    fn load<I: Isa>(isa: I, chunk: &[u8; 32]) -> I::F32 {
        isa.load_bf16(chunk)
    }
}

/// Whole chunks of a row, and the rest with zeros after it.
#[inline(always)]
pub(crate) fn chunks<F: Float>(row: &[u8]) -> (&[F::Chunk], F::Chunk) {
    const { assert!(align_of::<F::Chunk>() == 1, "weights may lie at any address") };
    let size = size_of::<F::Chunk>();
    let (whole, rest) = row.split_at(row.len() / size * size);
    let mut last: F::Chunk = bytemuck::Zeroable::zeroed();
    bytemuck::bytes_of_mut(&mut last)[..rest.len()].copy_from_slice(rest);
    (bytemuck::cast_slice(whole), last)
}

/// 16 values from `at`, or zeros where there are none.
#[inline(always)]
fn padded(x: &[f32]) -> [f32; 16] {
    let mut values = [0.0; 16];
    values[..x.len()].copy_from_slice(x);
    values
}

/// `w · x[t]` for a row of weights.
#[inline(always)]
pub(crate) fn dot_row<I: Isa, F: Float, const T: usize>(isa: I, w: &[u8], x: [&[f32]; T]) -> [f32; T] {
    // Four chains of sums hide the latency of the additions.
    let mut sums = [[isa.splat(0.0); 4]; T];
    let (w, last) = chunks::<F>(w);
    let whole = x.map(|x| &x.as_chunks::<16>().0[..w.len()]);
    let (fours, rest) = w.as_chunks::<4>();
    for (i, w) in fours.iter().enumerate() {
        let whole = whole.map(|x| &x[4 * i..4 * i + 4]);
        for (chain, w) in w.iter().enumerate() {
            let w = F::load(isa, w);
            for (sums, x) in sums.iter_mut().zip(whole) {
                sums[chain] = isa.fma(w, isa.load(&x[chain]), sums[chain]);
            }
        }
    }
    for (i, w) in rest.iter().enumerate() {
        let w = F::load(isa, w);
        for (sums, x) in sums.iter_mut().zip(whole) {
            sums[0] = isa.fma(w, isa.load(&x[4 * fours.len() + i]), sums[0]);
        }
    }
    let last = F::load(isa, &last);
    let mut y = [0.0; T];
    for ((y, sums), x) in y.iter_mut().zip(sums).zip(x) {
        let tail = &x[16 * w.len()..];
        let sum = isa.add(isa.add(sums[0], sums[1]), isa.add(sums[2], sums[3]));
        *y = isa.sum(if tail.is_empty() { sum } else { isa.fma(last, isa.load(&padded(tail)), sum) });
    }
    y
}

/// The rows `rows` of a float matrix times few tokens.
pub(crate) struct Dot<'a, 'b, F> {
    pub(crate) weights: Weights<'a>,
    pub(crate) x: &'a [f32],
    pub(crate) rows: Range<usize>,
    pub(crate) out: &'a mut Out<'b>,
    pub(crate) float: PhantomData<F>,
}

impl<F> Dot<'_, '_, F> {
    /// Up to how many tokens this is faster than tiles.
    pub(crate) const MAX_TOKENS: usize = 4;
}

impl<F: Float> Kernel for Dot<'_, '_, F> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self, isa: I) {
        let Dot { weights, x, rows, out, .. } = self;
        let n_tokens = out.n_tokens();
        let token = |t: usize| &x[t * weights.n..(t + 1) * weights.n];
        for row in rows {
            let w = weights.row(row);
            let mut t = 0;
            while t + 4 <= n_tokens {
                let y = dot_row::<I, F, 4>(isa, w, [token(t), token(t + 1), token(t + 2), token(t + 3)]);
                for (i, y) in y.into_iter().enumerate() {
                    out.put(t + i, row, y);
                }
                t += 4;
            }
            for t in t..n_tokens {
                out.put(t, row, dot_row::<I, F, 1>(isa, w, [token(t)])[0]);
            }
        }
    }
}

/// Values of each row that are unpacked at a time.
const DEPTH: usize = 128;

/// Widened weights of 16 rows: 16 numbers for each place in the rows.
pub(crate) type FloatPanel = [[f32; 16]; DEPTH];

/// The rows `rows` of a float matrix times many tokens.
pub(crate) struct Tile<'a, 'b, F> {
    pub(crate) weights: Weights<'a>,
    pub(crate) x: &'a [f32],
    pub(crate) rows: Range<usize>,
    pub(crate) out: &'a mut Out<'b>,
    pub(crate) panel: &'a mut [FloatPanel; 2],
    pub(crate) float: PhantomData<F>,
}

impl<F: Float> Kernel for Tile<'_, '_, F> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self, isa: I) {
        if I::PANEL_VECTORS == 2 { self.panels::<I, 2>(isa) } else { self.panels::<I, 1>(isa) }
    }
}

impl<F: Float> Tile<'_, '_, F> {
    #[inline(always)]
    fn panels<I: Isa, const V: usize>(self, isa: I) {
        let Tile { weights, x, rows, out, panel, .. } = self;
        let n = weights.n;
        let panel = &mut panel.as_chunks_mut::<V>().0[0];
        for start in rows.clone().step_by(16 * V) {
            let rows = start..rows.end.min(start + 16 * V);
            for first in (0..n).step_by(DEPTH) {
                let depth = first..n.min(first + DEPTH);
                for (v, panel) in panel.iter_mut().enumerate() {
                    unpack::<I, F>(isa, &weights, start + 16 * v..rows.end, depth.clone(), panel);
                }
                isa.vectorize(Multiply { panel, x, n, depth, rows: rows.clone(), out });
            }
        }
    }
}

/// Widens a part of up to 16 rows; rows that are not there are zero.
#[inline(always)]
fn unpack<I: Isa, F: Float>(
    isa: I,
    weights: &Weights<'_>,
    rows: Range<usize>,
    depth: Range<usize>,
    panel: &mut FloatPanel,
) {
    let size = size_of::<F::Chunk>() / 16;
    for (i, steps) in panel.as_chunks_mut::<16>().0.iter_mut().enumerate() {
        let (start, end) = (depth.start + 16 * i, depth.end.min(depth.start + 16 * (i + 1)));
        if start >= end {
            return;
        }
        let mut square = [isa.splat(0.0); 16];
        for (values, row) in square.iter_mut().zip(rows.clone()) {
            let (whole, part) = chunks::<F>(&weights.row(row)[size * start..size * end]);
            *values = F::load(isa, whole.first().unwrap_or(&part));
        }
        isa.transpose(&mut square);
        for (step, values) in steps.iter_mut().zip(square) {
            isa.store(values, step);
        }
    }
}

/// An unpacked panel times all tokens, added to what earlier parts of the rows gave.
struct Multiply<'a, 'b, const V: usize> {
    panel: &'a [FloatPanel; V],
    x: &'a [f32],
    n: usize,
    depth: Range<usize>,
    rows: Range<usize>,
    out: &'a mut Out<'b>,
}

impl<const V: usize> Kernel for Multiply<'_, '_, V> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(mut self, isa: I) {
        let n_tokens = self.out.n_tokens();
        let mut t = 0;
        while t + 4 <= n_tokens {
            self.tokens::<I, 4>(isa, t);
            t += 4;
        }
        match n_tokens - t {
            3 => self.tokens::<I, 3>(isa, t),
            2 => self.tokens::<I, 2>(isa, t),
            1 => self.tokens::<I, 1>(isa, t),
            _ => {}
        }
    }
}

impl<const V: usize> Multiply<'_, '_, V> {
    #[inline(always)]
    fn tokens<I: Isa, const T: usize>(&mut self, isa: I, token: usize) {
        let depth = self.depth.len();
        let panel = self.panel.each_ref().map(|panel| &panel[..depth]);
        let mut x = [&self.x[..0]; T];
        for (t, x) in x.iter_mut().enumerate() {
            let start = (token + t) * self.n + self.depth.start;
            *x = &self.x[start..start + depth];
        }
        let mut sums = [[isa.splat(0.0); T]; V];
        for k in 0..depth {
            let w = panel.map(|panel| isa.load(&panel[k]));
            for t in 0..T {
                let x = isa.splat(x[t][k]);
                for v in 0..V {
                    sums[v][t] = isa.fma(w[v], x, sums[v][t]);
                }
            }
        }
        let is_first = self.depth.start == 0;
        for (v, sums) in sums.into_iter().enumerate() {
            let start = self.rows.start + 16 * v;
            let rows = start.min(self.rows.end)..self.rows.end.min(start + 16);
            for (t, sum) in sums.into_iter().enumerate() {
                let out = self.out.values(token + t, rows.clone());
                put(isa, if is_first { sum } else { isa.add(sum, so_far(isa, out)) }, out);
            }
        }
    }
}

/// Up to 16 values, and zeros.
#[inline(always)]
fn so_far<I: Isa>(isa: I, out: &[f32]) -> I::F32 {
    if let Ok(out) = <&[f32; 16]>::try_from(out) {
        return isa.load(out);
    }
    let mut values = [0.0; 16];
    values[..out.len()].copy_from_slice(out);
    isa.load(&values)
}
