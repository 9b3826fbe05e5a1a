//! Activations as the integer kernels read them: one layout for every quantized weight type.
//!
//! 8-bit integers with their scales, and the sums that stand in for a weight's offset or minimum. Nothing here is
//! stored in files, yet how coarse scales are is part of what a file means: models were judged, and their published
//! answers made, with the activations that GGML pairs with each weight type. [`Rounding`] gives the same.

use bytemuck::{Pod, Zeroable};
use quant::DType;

use crate::isa::{Isa, Kernel};

#[cfg(test)]
mod tests;

/// 256 quantized activations: `x[i] = d[i / 32] * qs[i]`, with `-127 <= qs[i] <= 127`.
///
/// A row of `n` values is `n.div_ceil(256)` blocks; what is past `n` is zero.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub struct BlockQ8 {
    /// The integers, in groups of 64.
    pub qs: [[i8; 64]; 4],
    /// The same, by 128: of each four groups of 32, first the first 16 values, then the others.
    pub split: [[[i8; 64]; 2]; 2],
    /// Scale of each 32 values. NaN where one of them was not finite.
    pub d: [f32; 8],
    /// `sum(qs)` of each 16 values.
    pub half_sum: [i16; 16],
    /// `sum(qs)` of each 16 values, in two parts: every fourth and its successor, and the others.
    pub pair_sum: [[i16; 2]; 16],
    /// `d * sum(qs)` of each 32 values.
    pub dsum: [f32; 8],
    /// `sum(qs)` of each 32 values, then zeros.
    pub sum: [i16; 16],
    /// `d * sum(qs)` of each 16 values.
    pub half_dsum: [f32; 16],
    // Keeps blocks on cache-line borders, an odd number of lines apart, so that rows of them spread over a cache.
    _pad: [u32; 16],
}

/// Values in a [`BlockQ8`].
pub const BLOCK: usize = 256;

/// Groups with a smaller magnitude than this become zeros: the inverse scale would overflow.
const SMALLEST: f32 = 1e-36;

/// How activations are rounded for the weights that read them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rounding {
    /// As `Q8_0`: a half-float scale for each 32 values.
    By32,
    /// As `Q8_1`: so, and the scaled sums are half floats too.
    By32WithSums,
    /// As `Q8_K`: one scale for 256 values.
    By256,
}

impl Rounding {
    /// What GGML multiplies weights of this type with.
    pub fn of(weights: DType) -> Self {
        match weights {
            DType::Q4_1 | DType::Q5_1 => Self::By32WithSums,
            dtype if dtype.block_len() == BLOCK => Self::By256,
            _ => Self::By32,
        }
    }
}

/// Quantizes one row of activations.
pub(crate) struct Quantize<'a> {
    pub(crate) rounding: Rounding,
    pub(crate) x: &'a [f32],
    pub(crate) out: &'a mut [BlockQ8],
}

impl Kernel for Quantize<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self, isa: I) {
        let Quantize { rounding, x, out } = self;
        assert_eq!(out.len(), x.len().div_ceil(BLOCK), "blocks for a row of {} activations", x.len());
        let (blocks, tail) = x.as_chunks::<BLOCK>();
        for (x, out) in blocks.iter().zip(&mut *out) {
            block(isa, rounding, x, out);
        }
        if let Some(out) = out.get_mut(blocks.len()) {
            let mut x = [0.0; BLOCK];
            x[..tail.len()].copy_from_slice(tail);
            block(isa, rounding, &x, out);
        }
    }
}

#[inline(always)]
fn block<I: Isa>(isa: I, rounding: Rounding, x: &[f32; BLOCK], out: &mut BlockQ8) {
    let groups: &[[[f32; 16]; 2]; 8] = bytemuck::cast_ref(x);
    let mut magnitudes = [0f32; 8];
    // 0 for finite values, NaN for others, which a maximum may lose.
    let mut poison = [0f32; 8];
    let zero = isa.splat(0.0);
    for (i, [a, b]) in groups.iter().enumerate() {
        let (a, b) = (isa.load(a), isa.load(b));
        magnitudes[i] = isa.max_lane(isa.max(isa.abs(a), isa.abs(b)));
        poison[i] = isa.sum(isa.fma(a, zero, isa.mul(b, zero)));
    }
    if rounding == Rounding::By256 {
        magnitudes = [magnitudes.into_iter().fold(0.0, f32::max); 8];
        poison = [poison.into_iter().sum(); 8];
    }
    let qs: &mut [[[i8; 16]; 2]; 8] = bytemuck::cast_mut(&mut out.qs);
    for (i, ([a, b], qs)) in groups.iter().zip(qs).enumerate() {
        let amax = magnitudes[i];
        let inverse = if amax >= SMALLEST { 127.0 / amax } else { 0.0 };
        out.d[i] = match rounding {
            _ if amax < SMALLEST => 0.0,
            Rounding::By256 => 1.0 / inverse,
            Rounding::By32 | Rounding::By32WithSums => amax / 127.0,
        };
        let inverse = isa.splat(inverse);
        isa.store_i8(isa.round(isa.mul(isa.load(a), inverse)), &mut qs[0]);
        isa.store_i8(isa.round(isa.mul(isa.load(b), inverse)), &mut qs[1]);
    }
    for (d, poison) in out.d.iter_mut().zip(poison) {
        *d += poison;
    }
    integer_sums(isa, out);
    split(&out.qs, &mut out.split);
    let exact = out.d;
    if rounding != Rounding::By256 {
        halve(isa, &mut out.d);
    }
    let of_sums = if rounding == Rounding::By32WithSums { exact } else { out.d };
    for (i, of_sums) in of_sums.into_iter().enumerate() {
        out.dsum[i] = of_sums * f32::from(out.sum[i]);
        out.half_dsum[2 * i] = out.d[i] * f32::from(out.half_sum[2 * i]);
        out.half_dsum[2 * i + 1] = out.d[i] * f32::from(out.half_sum[2 * i + 1]);
    }
    if rounding == Rounding::By32WithSums {
        halve(isa, &mut out.dsum);
    }
}

#[inline(always)]
fn split(qs: &[[i8; 64]; 4], split: &mut [[[i8; 64]; 2]; 2]) {
    let groups: &[[[[i8; 16]; 2]; 4]; 2] = bytemuck::cast_ref(qs);
    let split: &mut [[[[i8; 16]; 4]; 2]; 2] = bytemuck::cast_mut(split);
    for (groups, split) in groups.iter().zip(split) {
        for (i, [first, last]) in groups.iter().enumerate() {
            split[0][i] = *first;
            split[1][i] = *last;
        }
    }
}

#[inline(always)]
fn integer_sums<I: Isa>(isa: I, out: &mut BlockQ8) {
    // The first two of each four values, and the others.
    let halves = [isa.join_8([0x0000_0101_0000_0101; 8]), isa.join_8([0x0101_0000_0101_0000; 8])];
    for (i, qs) in out.qs.iter().enumerate() {
        for (part, ones) in halves.into_iter().enumerate() {
            let mut quads = [0.0; 16];
            isa.store(isa.to_f32(isa.dot(ones, qs)), &mut quads);
            for half in 0..4 {
                let sum = quads[4 * half..4 * half + 4].iter().sum::<f32>();
                out.pair_sum[4 * i + half][part] = sum as i16;
            }
        }
    }
    for (sum, pair) in out.half_sum.iter_mut().zip(out.pair_sum) {
        *sum = pair[0] + pair[1];
    }
    out.sum = [0; 16];
    for i in 0..8 {
        out.sum[i] = out.half_sum[2 * i] + out.half_sum[2 * i + 1];
    }
}

/// Rounds to half floats what is in their range; the rest stays, so that huge activations do not become infinite
/// nor tiny ones nothing, and NaN is NaN.
#[inline(always)]
fn halve<I: Isa>(isa: I, values: &mut [f32; 8]) {
    let mut wide = [0.0; 16];
    wide[..8].copy_from_slice(values);
    let mut bytes = [0; 32];
    isa.store_f16(isa.load(&wide), &mut bytes);
    isa.store(isa.load_f16(&bytes), &mut wide);
    for (value, half) in values.iter_mut().zip(wide) {
        *value = if half.is_finite() && half != 0.0 { half } else { *value };
    }
}
