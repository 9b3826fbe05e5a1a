//! Matrix products for many tokens: panels of 32 weight rows are unpacked to interleaved codes and scales that stay in
//! the first-level cache, and every format is multiplied by the same integer kernel.
//!
//! ```text
//! panel step:  row 0: codes 4k..4k+4 | row 1: codes 4k..4k+4 | .. | row 15   times   4 activations, repeated
//! ```

use std::{marker::PhantomData, ops::Range};

use bytemuck::Zeroable;

use super::{
    Out, Weights,
    float::FloatPanel,
    format::{self, Format, Scales},
};
use crate::{
    isa::{
        Isa, Kernel, Packing,
        panel::{PanelSpan, Ready, Tokens},
    },
    quantize::BlockQ8,
};

/// Vectors of 16 rows in a panel.
const VECTORS: usize = 2;
/// Panels and tokens that are multiplied span by span: their sums and activations stay in the second-level cache.
const PANELS: usize = 4;
const TOKENS: usize = 256;

/// Buffers of the tile kernels, one for each thread.
#[derive(Debug)]
pub struct Scratch {
    pub(super) codes: Box<Work>,
    pub(super) floats: Box<[FloatPanel; 2]>,
}

impl Scratch {
    /// Buffers for matrices of any size and type.
    pub fn new() -> Self {
        Self { codes: bytemuck::zeroed_box(), floats: bytemuck::zeroed_box() }
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

/// What is at hand of a part of the product.
#[derive(Clone, Copy, Debug, Zeroable)]
#[repr(C)]
pub(crate) struct Work {
    panel: Panel,
    loose: Loose,
    ready: [Ready; TOKENS],
    /// Sums so far, where a row has more than one span: near each other, while tokens are far apart in the output.
    sums: [Sums; PANELS],
}

/// A span of 16 rows before they are interleaved.
#[derive(Clone, Copy, Debug, Zeroable)]
#[repr(C, align(64))]
struct Loose {
    /// By units of 64, then by rows.
    codes: [[[u8; 64]; 16]; 4],
    scales: [[f32; 16]; 16],
    mins: [[f32; 16]; 16],
}

/// Where a span of 16 rows is unpacked to.
struct Unpacked<'a> {
    panel: &'a mut PanelSpan,
    loose: &'a mut Loose,
}

type Panel = [PanelSpan; VECTORS];
type Sums = [[[f32; 16]; VECTORS]; TOKENS];

/// The rows `rows` of `weights`, a quantized matrix of format `F`, times quantized tokens.
pub(crate) struct Tile<'a, 'b, F> {
    pub(crate) weights: Weights<'a>,
    /// Rows of blocks, one for each token.
    pub(crate) x: &'a [BlockQ8],
    pub(crate) rows: Range<usize>,
    pub(crate) out: &'a mut Out<'b>,
    pub(crate) work: &'a mut Work,
    pub(crate) format: PhantomData<F>,
}

impl<F: Format> Kernel for Tile<'_, '_, F> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(mut self, isa: I) {
        let n_tokens = self.out.n_tokens();
        for first in (0..n_tokens).step_by(TOKENS) {
            let tokens = first..n_tokens.min(first + TOKENS);
            for start in self.rows.clone().step_by(16 * VECTORS * PANELS) {
                let rows = start..self.rows.end.min(start + 16 * VECTORS * PANELS);
                for at in 0..self.weights.n.div_ceil(256) {
                    self.span(isa, tokens.clone(), rows.clone(), at);
                }
            }
        }
    }
}

impl<F: Format> Tile<'_, '_, F> {
    /// Multiplies span `at` of `rows` with `tokens`.
    #[inline(always)]
    fn span<I: Isa>(&mut self, isa: I, tokens: Range<usize>, rows: Range<usize>, at: usize) {
        let Work { panel, loose, ready, sums } = &mut *self.work;
        let n_blocks = self.weights.n.div_ceil(256);
        // The next span of the same rows, or the first of the rows that come after these.
        let ahead = if at + 1 < n_blocks {
            size_of::<F::Span>()
        } else {
            16 * VECTORS * PANELS * self.weights.row_bytes - at * size_of::<F::Span>()
        };
        for (ready, token) in ready.iter_mut().zip(tokens.clone()) {
            isa.ready::<F::Packing>(&self.x[token * n_blocks + at], ready);
        }
        for (start, sums) in rows.clone().step_by(16 * VECTORS).zip(sums) {
            for (v, span) in panel.iter_mut().enumerate() {
                let rows = start + 16 * v..rows.end;
                unpack::<I, F>(isa, &self.weights, rows, at, ahead, Unpacked { panel: span, loose });
            }
            isa.vectorize(Multiply::<'_, '_, F::Packing> {
                panel,
                n_groups: (self.weights.n / 32 - 8 * at).min(8),
                x: self.x,
                ready,
                n_blocks,
                at,
                tokens: tokens.clone(),
                sums,
                rows: start..rows.end.min(start + 16 * VECTORS),
                out: self.out,
                packing: PhantomData,
            });
        }
    }
}

/// Unpacks span `at` of up to 16 rows; rows that are not there are zero. `ahead`: how far behind the span is what is
/// wanted next.
#[inline(always)]
fn unpack<I: Isa, F: Format>(
    isa: I,
    weights: &Weights<'_>,
    rows: Range<usize>,
    at: usize,
    ahead: usize,
    Unpacked { panel, loose }: Unpacked<'_>,
) {
    for i in rows.len()..16 {
        loose.codes.iter_mut().for_each(|codes| codes[i] = [0; 64]);
        (loose.scales[i], loose.mins[i]) = ([0.0; 16], [0.0; 16]);
    }
    for (i, row) in rows.take(16).enumerate() {
        let padded;
        let span = match format::span::<F>(weights.tail_from(row), at) {
            Ok(span) => span,
            Err(part) => {
                padded = format::padded::<F>(part);
                &padded
            }
        };
        isa.prefetch(bytemuck::bytes_of(span), ahead);
        let (scale, min) = match F::scales(isa, span) {
            Scales::Floats { scale, min } => (scale, isa.sub(isa.splat(0.0), min)),
            Scales::Steps(steps) => {
                (panel.units[0][i], panel.units[1][i]) = (steps.unit, -steps.min_unit);
                (isa.i8_16(steps.scale), isa.i8_16(steps.min))
            }
        };
        isa.store(scale, &mut loose.scales[i]);
        isa.store(min, &mut loose.mins[i]);
        if F::NIBBLE_LANES > 0 {
            for (codes, of_row) in loose.codes.iter_mut().zip(F::packed(isa, span)) {
                isa.store_bytes(of_row, &mut codes[i]);
            }
        } else {
            for (codes, of_row) in loose.codes.iter_mut().zip(format::codes::<I, F>(isa, span)) {
                isa.store_bytes(of_row, &mut codes[i]);
            }
        }
    }
    let scales = transposed(isa, &loose.scales);
    let repeats = I::repeats::<F::Packing>();
    for (out, &scale) in panel.scales.chunks_exact_mut(repeats).zip(&scales) {
        for out in out {
            if F::Packing::STEPS {
                isa.store_bytes(isa.pairs(scale, scale), bytemuck::cast_mut(out));
            } else {
                isa.store(scale, out);
            }
        }
    }
    if F::Packing::MIN {
        store_mins::<I, F::Packing>(isa, &transposed(isa, &loose.mins), panel);
    }
    interleave::<I, F>(isa, &loose.codes, panel);
}

/// Codes of 16 rows as steps of four. Nibbles are interleaved as they are stored, in half as many vectors.
#[inline(always)]
fn interleave<I: Isa, F: Format>(isa: I, loose: &[[[u8; 64]; 16]; 4], panel: &mut PanelSpan) {
    let n = F::NIBBLE_LANES;
    for (unit, codes) in loose[..if n > 0 { 2 } else { 4 }].iter().enumerate() {
        let mut lanes = loaded(isa, bytemuck::cast_ref(codes));
        isa.interleave(&mut lanes);
        for (i, lanes) in lanes.into_iter().enumerate() {
            let codes = isa.lanes_as_bytes(lanes);
            if n > 0 {
                let step = 32 * unit + 2 * n * (i / n) + i % n;
                let [low, high] = format::unpacked::<I, F>(isa, codes);
                store_step::<I, F::Packing>(isa, low, step, panel);
                store_step::<I, F::Packing>(isa, high, step + n, panel);
            } else {
                let step = 4 * format::place::<F>(unit, i / 4) + i % 4;
                store_step::<I, F::Packing>(isa, codes, step, panel);
            }
        }
    }
}

/// Stores four codes of each row.
#[inline(always)]
fn store_step<I: Isa, P: Packing>(isa: I, codes: I::Bytes, step: usize, panel: &mut PanelSpan) {
    if I::has_numbers::<P>() {
        let steps = &panel.scales[if P::HALVES { step / 4 } else { step / 8 }];
        let steps = isa.load_bytes(bytemuck::cast_ref(steps));
        isa.store_numbers::<P>(codes, steps, &mut panel.codes.as_chunks_mut().0[step]);
    } else {
        isa.store_bytes(codes, &mut panel.codes[step]);
    }
}

/// The lanes of 16 rows transposed.
#[inline(always)]
fn transposed<I: Isa>(isa: I, rows: &[[f32; 16]; 16]) -> [I::F32; 16] {
    let mut lanes = loaded(isa, rows);
    isa.transpose(&mut lanes);
    lanes
}

#[inline(always)]
fn loaded<I: Isa>(isa: I, rows: &[[f32; 16]; 16]) -> [I::F32; 16] {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = rows;
    // Not a `map`, whose closure would not be compiled for the ISA.
    let (a, b, c, d) = (isa.load(a), isa.load(b), isa.load(c), isa.load(d));
    let (e, f, g, h) = (isa.load(e), isa.load(f), isa.load(g), isa.load(h));
    let (i, j, k, l) = (isa.load(i), isa.load(j), isa.load(k), isa.load(l));
    let (m, n, o, p) = (isa.load(m), isa.load(n), isa.load(o), isa.load(p));
    [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]
}

/// Stores minima, of sub-blocks or of two neighbours each.
#[inline(always)]
fn store_mins<I: Isa, P: Packing>(isa: I, mins: &[I::F32; 16], panel: &mut PanelSpan) {
    if P::STEPS {
        for (out, pair) in panel.mins.iter_mut().zip(mins.as_chunks::<2>().0) {
            isa.store_bytes(isa.pairs(pair[0], pair[1]), bytemuck::cast_mut(out));
        }
        return;
    }
    for (out, &mins) in panel.mins.iter_mut().zip(mins) {
        isa.store(mins, out);
    }
}

/// An unpacked panel times tokens, added to what earlier spans gave.
struct Multiply<'a, 'b, P> {
    panel: &'a Panel,
    /// Groups of 32 values in the panel.
    n_groups: usize,
    x: &'a [BlockQ8],
    /// Of each of the tokens.
    ready: &'a [Ready; TOKENS],
    n_blocks: usize,
    /// Which span of the rows it is.
    at: usize,
    tokens: Range<usize>,
    sums: &'a mut Sums,
    rows: Range<usize>,
    out: &'a mut Out<'b>,
    packing: PhantomData<P>,
}

impl<P: Packing> Kernel for Multiply<'_, '_, P> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(mut self, isa: I) {
        let mut t = 0;
        while t < self.tokens.len() {
            t += match self.tokens.len() - t {
                1 => self.tokens::<I, 1>(isa, t),
                2..4 => self.tokens::<I, 2>(isa, t),
                4..6 => self.tokens::<I, 4>(isa, t),
                _ => self.tokens::<I, 6>(isa, t),
            };
        }
    }
}

impl<P: Packing> Multiply<'_, '_, P> {
    /// Multiplies `T` tokens from the one at `first` on; returns `T`.
    #[inline(always)]
    fn tokens<I: Isa, const T: usize>(&mut self, isa: I, first: usize) -> usize {
        let ready = self.ready[first..].first_chunk().expect("tokens that were made ready");
        let mut x = Tokens { x: [&self.x[0]; T], ready };
        for (t, x) in x.x.iter_mut().enumerate() {
            *x = &self.x[(self.tokens.start + first + t) * self.n_blocks + self.at];
        }
        if I::PANEL_VECTORS == VECTORS {
            self.rows::<I, T, VECTORS>(isa, x, first, 0);
        } else {
            for v in 0..VECTORS {
                self.rows::<I, T, 1>(isa, x, first, v);
            }
        }
        T
    }

    /// Multiplies `V` vectors of rows, of which `vector` is the first.
    #[inline(always)]
    fn rows<I: Isa, const T: usize, const V: usize>(
        &mut self,
        isa: I,
        x: Tokens<'_, T>,
        first: usize,
        vector: usize,
    ) {
        let spans = self.panel[vector..].first_chunk::<V>().expect("vectors of the panel");
        let mut sums;
        if P::STEPS {
            // First, as the registers do not suffice for the sums so far as well.
            let dots = isa.multiply_steps::<P, T, V>(spans, x);
            sums = self.so_far(isa, first, vector);
            add_steps::<I, P, T, V>(isa, spans, x, dots, &mut sums);
        } else {
            sums = self.so_far(isa, first, vector);
            isa.multiply::<P, T, V>(spans, x, self.n_groups, &mut sums);
            if P::MIN {
                add_mins::<I, T, V>(isa, spans, x, self.n_groups, &mut sums);
            }
        }
        let is_last = self.at + 1 == self.n_blocks;
        for (v, sums) in sums.into_iter().enumerate() {
            let start = self.rows.start + 16 * (vector + v);
            let rows = start.min(self.rows.end)..self.rows.end.min(start + 16);
            for (t, sum) in sums.into_iter().enumerate() {
                if is_last {
                    put(isa, sum, self.out.values(self.tokens.start + first + t, rows.clone()));
                } else {
                    isa.store(sum, &mut self.sums[first + t][vector + v]);
                }
            }
        }
    }

    /// What earlier spans gave.
    #[inline(always)]
    fn so_far<I: Isa, const T: usize, const V: usize>(
        &self,
        isa: I,
        first: usize,
        vector: usize,
    ) -> [[I::F32; T]; V] {
        let mut sums = [[isa.splat(0.0); T]; V];
        if self.at > 0 {
            for (t, so_far) in self.sums[first..][..T].iter().enumerate() {
                for v in 0..V {
                    sums[v][t] = isa.load(&so_far[vector + v]);
                }
            }
        }
        sums
    }
}

/// The minima of sub-blocks times the scaled sums of activations.
#[inline(always)]
fn add_mins<I: Isa, const T: usize, const V: usize>(
    isa: I,
    spans: &[PanelSpan; V],
    x: Tokens<'_, T>,
    n_groups: usize,
    sums: &mut [[I::F32; T]; V],
) {
    for group in 0..n_groups {
        for v in 0..V {
            let mins = isa.load(&spans[v].mins[group]);
            for (sum, x) in sums[v].iter_mut().zip(x.x) {
                *sum = isa.fma(mins, isa.splat(x.dsum[group]), *sum);
            }
        }
    }
}

/// Adds the integers of a span whose scales are integers, and its minima.
#[inline(always)]
fn add_steps<I: Isa, P: Packing, const T: usize, const V: usize>(
    isa: I,
    spans: &[PanelSpan; V],
    x: Tokens<'_, T>,
    dots: [[I::I32; T]; V],
    sums: &mut [[I::F32; T]; V],
) {
    let excess = if P::MIN { excess::<I, P, T, V>(isa, spans, x) } else { dots };
    for v in 0..V {
        for t in 0..T {
            let d = isa.splat(x.x[t].d[0]);
            let unit = isa.mul(isa.load(&spans[v].units[0]), d);
            sums[v][t] = isa.fma(isa.to_f32(dots[v][t]), unit, sums[v][t]);
            if P::MIN {
                let unit = isa.mul(isa.load(&spans[v].units[1]), d);
                sums[v][t] = isa.fma(isa.to_f32(excess[v][t]), unit, sums[v][t]);
            }
        }
    }
}

/// The minima of a span times the sums of activations.
#[inline(always)]
fn excess<I: Isa, P: Packing, const T: usize, const V: usize>(
    isa: I,
    spans: &[PanelSpan; V],
    x: Tokens<'_, T>,
) -> [[I::I32; T]; V] {
    let mut excess = [[isa.splat_i32(0); T]; V];
    for pair in 0..if P::HALVES { 8 } else { 4 } {
        for v in 0..V {
            let mins = isa.load_bytes(bytemuck::cast_ref(&spans[v].mins[pair]));
            for (excess, x) in excess[v].iter_mut().zip(x.x) {
                let sums = if P::HALVES { &x.half_sum[..] } else { &x.sum };
                *excess = isa.dot_pairs(mins, [sums[2 * pair], sums[2 * pair + 1]], *excess);
            }
        }
    }
    excess
}

/// Puts the values of up to 16 rows.
#[inline(always)]
pub(super) fn put<I: Isa>(isa: I, sum: I::F32, out: &mut [f32]) {
    if let Ok(out) = <&mut [f32; 16]>::try_from(&mut *out) {
        isa.store(sum, out);
        return;
    }
    let mut values = [0.0; 16];
    isa.store(sum, &mut values);
    out.copy_from_slice(&values[..out.len()]);
}
