//! Matrix products for many tokens: panels of 16 or 32 weight rows are unpacked to interleaved 8-bit codes and
//! `f32` scales that stay in the first-level cache, and every format is multiplied by the same integer kernel.
//!
//! ```text
//! panel step:  row 0: codes 4k..4k+4 | row 1: codes 4k..4k+4 | .. | row 15   times   4 activations, repeated
//! ```

use std::{marker::PhantomData, ops::Range};

use super::{
    Out, Weights,
    float::FloatPanel,
    format::{self, Format},
};
use crate::{
    isa::{Isa, Kernel, Packing},
    quantize::BlockQ8,
};

/// Spans of 256 values that are unpacked at a time.
const SPANS: usize = 2;

/// Buffers of the tile kernels, one for each thread.
#[derive(Debug)]
pub struct Scratch {
    pub(super) codes: Box<[PanelSpan; 2 * SPANS]>,
    pub(super) floats: Box<[FloatPanel; 2]>,
}

impl Scratch {
    /// Buffers for matrices of any size and type.
    pub fn new() -> Self {
        Self { codes: Box::new([PanelSpan::EMPTY; 2 * SPANS]), floats: Box::new([[[0.0; 16]; _]; 2]) }
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

/// 256 values of 16 rows.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(crate) struct PanelSpan {
    /// Steps of 4 codes of each row, 8 steps to a group of 32 values.
    codes: [[[u8; 64]; 8]; 8],
    /// Scales of the rows for each sub-block; with [`Packing::STEPS`] the bits of [`Isa::pairs`] of each with itself.
    scales: [[f32; 16]; 16],
    /// Minima, negated; with [`Packing::STEPS`] the bits of [`Isa::pairs`] of what is multiplied with the sums of two
    /// neighbouring sub-blocks: their minima, or their steps times the offset, negated.
    mins: [[f32; 16]; 16],
    /// With [`Packing::STEPS`]: what the rows' scales are multiples of, and their minima, negated.
    units: [[f32; 16]; 2],
}

impl PanelSpan {
    const EMPTY: Self = Self {
        codes: [[[0; 64]; 8]; 8],
        scales: [[0.0; 16]; 16],
        mins: [[0.0; 16]; 16],
        units: [[0.0; 16]; 2],
    };
}

/// The rows `rows` of `weights`, a quantized matrix of format `F`, times quantized tokens.
pub(crate) struct Tile<'a, 'b, F> {
    pub(crate) weights: Weights<'a>,
    /// Rows of blocks, one for each token.
    pub(crate) x: &'a [BlockQ8],
    pub(crate) rows: Range<usize>,
    pub(crate) out: &'a mut Out<'b>,
    pub(crate) panel: &'a mut [PanelSpan; 2 * SPANS],
    pub(crate) format: PhantomData<F>,
}

impl<F: Format> Kernel for Tile<'_, '_, F> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self, isa: I) {
        if I::PANEL_VECTORS == 2 { self.panels::<I, 2>(isa) } else { self.panels::<I, 1>(isa) }
    }
}

impl<F: Format> Tile<'_, '_, F> {
    #[inline(always)]
    fn panels<I: Isa, const V: usize>(self, isa: I) {
        let Tile { weights, x, rows, out, panel, .. } = self;
        let n_blocks = weights.n.div_ceil(256);
        let panel = panel.as_chunks_mut::<V>().0;
        for start in rows.clone().step_by(16 * V) {
            let rows = start..rows.end.min(start + 16 * V);
            for first in (0..n_blocks).step_by(SPANS) {
                let spans = &mut panel[..SPANS.min(n_blocks - first)];
                for (i, span) in spans.iter_mut().enumerate() {
                    for (v, span) in span.iter_mut().enumerate() {
                        unpack::<I, F>(isa, &weights, start + 16 * v..rows.end, first + i, span);
                    }
                }
                let n_groups = (weights.n / 32 - 8 * first).min(8 * spans.len());
                isa.vectorize(Multiply::<'_, '_, F::Packing, V> {
                    panel: spans,
                    n_groups,
                    x,
                    n_blocks,
                    first,
                    rows: rows.clone(),
                    out,
                    packing: PhantomData,
                });
            }
        }
    }
}

/// Unpacks span `at` of up to 16 rows; rows that are not there are zero.
#[inline(always)]
fn unpack<I: Isa, F: Format>(
    isa: I,
    weights: &Weights<'_>,
    rows: Range<usize>,
    at: usize,
    panel: &mut PanelSpan,
) {
    let mut codes = [[isa.splat_bytes(0); 16]; 4];
    let mut scales = [isa.splat(0.0); 16];
    let mut mins = scales;
    for (i, row) in rows.take(16).enumerate() {
        let padded;
        let span = match format::span::<F>(weights.tail_from(row), at) {
            Ok(span) => span,
            Err(part) => {
                padded = format::padded::<F>(part);
                &padded
            }
        };
        let of_row = F::scales(isa, span);
        (scales[i], mins[i]) = (of_row.scale, isa.sub(isa.splat(0.0), of_row.min));
        if F::Packing::STEPS {
            (panel.units[0][i], panel.units[1][i]) = (of_row.unit, -of_row.min_unit);
            mins[i] = of_row.min;
        }
        for (unit, codes) in codes.iter_mut().enumerate() {
            codes[i] = format::codes::<I, F>(isa, span, unit);
        }
    }
    for (codes, steps) in codes.iter().zip(panel.codes.as_flattened_mut().as_chunks_mut::<16>().0) {
        // A loop, as the closure of a `map` over so many would not be compiled for the ISA.
        let mut lanes = scales;
        for (lanes, codes) in lanes.iter_mut().zip(codes) {
            *lanes = isa.bytes_as_lanes(*codes);
        }
        isa.transpose(&mut lanes);
        for (lanes, step) in lanes.into_iter().zip(steps) {
            isa.store_bytes(isa.lanes_as_bytes(lanes), step);
        }
    }
    isa.transpose(&mut scales);
    if F::Packing::MIN {
        isa.transpose(&mut mins);
    }
    if F::Packing::STEPS {
        pack_steps::<I, F::Packing>(isa, &scales, &mins, panel);
        return;
    }
    for (out, scales) in panel.scales.iter_mut().zip(scales) {
        isa.store(scales, out);
    }
    if F::Packing::MIN {
        for (out, mins) in panel.mins.iter_mut().zip(mins) {
            isa.store(mins, out);
        }
    }
}

/// Stores integer scales and minima, by sub-block, as pairs.
#[inline(always)]
fn pack_steps<I: Isa, P: Packing>(isa: I, steps: &[I::F32; 16], mins: &[I::F32; 16], panel: &mut PanelSpan) {
    for (out, &step) in panel.scales.iter_mut().zip(steps) {
        isa.store_bytes(isa.pairs(step, step), bytemuck::cast_mut(out));
    }
    let (of, factor) = if P::MIN { (mins, 1) } else { (steps, -format::offset::<I, P>()) };
    let factor = isa.splat(factor as f32);
    for (out, pair) in panel.mins.iter_mut().zip(of.as_chunks::<2>().0) {
        let pairs = isa.pairs(isa.mul(pair[0], factor), isa.mul(pair[1], factor));
        isa.store_bytes(pairs, bytemuck::cast_mut(out));
    }
}

/// An unpacked panel times all tokens, added to what earlier spans gave.
struct Multiply<'a, 'b, P, const V: usize> {
    panel: &'a [[PanelSpan; V]],
    /// Groups of 32 values in the panel.
    n_groups: usize,
    x: &'a [BlockQ8],
    n_blocks: usize,
    /// The panel's first span in the rows.
    first: usize,
    rows: Range<usize>,
    out: &'a mut Out<'b>,
    packing: PhantomData<P>,
}

impl<P: Packing, const V: usize> Kernel for Multiply<'_, '_, P, V> {
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

impl<P: Packing, const V: usize> Multiply<'_, '_, P, V> {
    #[inline(always)]
    fn tokens<I: Isa, const T: usize>(&mut self, isa: I, token: usize) {
        let mut sums = [[isa.splat(0.0); T]; V];
        let mut x = [&self.x[..0]; T];
        for (t, x) in x.iter_mut().enumerate() {
            let start = (token + t) * self.n_blocks + self.first;
            *x = &self.x[start..start + self.panel.len()];
        }
        for (i, span) in self.panel.iter().enumerate() {
            let x = x.map(|x| &x[i]);
            if P::STEPS {
                multiply_steps::<I, P, T, V>(isa, span, x, &mut sums);
                continue;
            }
            let whole = self.n_groups >= 8 * (i + 1);
            let n_groups = if whole { 8 } else { self.n_groups - 8 * i };
            for group in 0..n_groups {
                multiply_group::<I, P, T, V>(isa, span, x, group, &mut sums);
            }
        }
        for (v, sums) in sums.into_iter().enumerate() {
            let start = self.rows.start + 16 * v;
            let rows = start.min(self.rows.end)..self.rows.end.min(start + 16);
            for (t, sum) in sums.into_iter().enumerate() {
                accumulate(isa, sum, self.out.values(token + t, rows.clone()), self.first == 0);
            }
        }
    }
}

#[inline(always)]
fn multiply_group<I: Isa, P: Packing, const T: usize, const V: usize>(
    isa: I,
    span: &[PanelSpan; V],
    x: [&BlockQ8; T],
    group: usize,
    sums: &mut [[I::F32; T]; V],
) {
    let codes = span.each_ref().map(|span| &span.codes[group]);
    let qs = x.map(|x| &bytemuck::cast_ref::<_, [[[i8; 4]; 8]; 8]>(&x.qs)[group]);
    let offset = format::offset::<I, P>();
    if !P::HALVES {
        let init = x.map(|x| -offset * i32::from(x.sum[group]));
        let dots = isa.tile::<P, 8, T, V>(codes, qs, init);
        for v in 0..V {
            for t in 0..T {
                let scale = isa.mul(isa.load(&span[v].scales[group]), isa.splat(x[t].d[group]));
                let mut sum = isa.fma(isa.to_f32(dots[v][t]), scale, sums[v][t]);
                if P::MIN {
                    sum = isa.fma(isa.load(&span[v].mins[group]), isa.splat(x[t].dsum[group]), sum);
                }
                sums[v][t] = sum;
            }
        }
        return;
    }
    for half in 0..2 {
        let sub = 2 * group + half;
        let codes = codes.map(|codes| &codes.as_chunks::<4>().0[half]);
        let qs = qs.map(|qs| &qs.as_chunks::<4>().0[half]);
        let dots = isa.tile::<P, 4, T, V>(codes, qs, x.map(|x| -offset * i32::from(x.half_sum[sub])));
        for v in 0..V {
            for t in 0..T {
                let scale = isa.mul(isa.load(&span[v].scales[sub]), isa.splat(x[t].d[group]));
                let mut sum = isa.fma(isa.to_f32(dots[v][t]), scale, sums[v][t]);
                if P::MIN {
                    sum = isa.fma(isa.load(&span[v].mins[sub]), isa.splat(x[t].half_dsum[sub]), sum);
                }
                sums[v][t] = sum;
            }
        }
    }
}

/// All of a span whose scales are integers, in integers up to its end.
#[inline(always)]
fn multiply_steps<I: Isa, P: Packing, const T: usize, const V: usize>(
    isa: I,
    span: &[PanelSpan; V],
    x: [&BlockQ8; T],
    sums: &mut [[I::F32; T]; V],
) {
    let excess = excess::<I, P, T, V>(isa, span, x);
    let mut dots = if P::MIN { [[isa.splat_i32(0); T]; V] } else { excess };
    for group in 0..8 {
        let codes = span.each_ref().map(|span| &span.codes[group]);
        let qs = x.map(|x| &bytemuck::cast_ref::<_, [[[i8; 4]; 8]; 8]>(&x.qs)[group]);
        let steps = |sub: usize| span.each_ref().map(|s| isa.load_bytes(bytemuck::cast_ref(&s.scales[sub])));
        if !P::HALVES {
            isa.tile_steps::<P, 8, T, V>(codes, qs, steps(group), &mut dots);
            continue;
        }
        for half in 0..2 {
            let codes = codes.map(|codes| &codes.as_chunks::<4>().0[half]);
            let qs = qs.map(|qs| &qs.as_chunks::<4>().0[half]);
            isa.tile_steps::<P, 4, T, V>(codes, qs, steps(2 * group + half), &mut dots);
        }
    }
    for v in 0..V {
        for t in 0..T {
            let d = isa.splat(x[t].d[0]);
            let unit = isa.mul(isa.load(&span[v].units[0]), d);
            sums[v][t] = isa.fma(isa.to_f32(dots[v][t]), unit, sums[v][t]);
            if P::MIN {
                let unit = isa.mul(isa.load(&span[v].units[1]), d);
                sums[v][t] = isa.fma(isa.to_f32(excess[v][t]), unit, sums[v][t]);
            }
        }
    }
}

/// The minima of a span, or the steps times the negated offset, times the sums of activations.
#[inline(always)]
fn excess<I: Isa, P: Packing, const T: usize, const V: usize>(
    isa: I,
    span: &[PanelSpan; V],
    x: [&BlockQ8; T],
) -> [[I::I32; T]; V] {
    let mut excess = [[isa.splat_i32(0); T]; V];
    if !P::MIN && format::offset::<I, P>() == 0 {
        return excess;
    }
    for pair in 0..if P::HALVES { 8 } else { 4 } {
        for v in 0..V {
            let factors = isa.load_bytes(bytemuck::cast_ref(&span[v].mins[pair]));
            for t in 0..T {
                let sums = if P::HALVES { &x[t].half_sum[..] } else { &x[t].sum };
                let sums = [sums[2 * pair], sums[2 * pair + 1]];
                excess[v][t] = isa.dot_pairs(factors, sums, excess[v][t]);
            }
        }
    }
    excess
}

/// Puts or adds the values of up to 16 rows.
#[inline(always)]
pub(super) fn accumulate<I: Isa>(isa: I, sum: I::F32, out: &mut [f32], is_first: bool) {
    if let Ok(out) = <&mut [f32; 16]>::try_from(&mut *out) {
        let sum = if is_first { sum } else { isa.add(sum, isa.load(out)) };
        isa.store(sum, out);
        return;
    }
    let mut values = [0.0; 16];
    isa.store(sum, &mut values);
    for (out, value) in out.iter_mut().zip(values) {
        *out = if is_first { value } else { *out + value };
    }
}
