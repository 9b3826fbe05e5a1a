//! Activations as the integer kernels read them: one format for every quantized weight type.
//!
//! 8-bit integers with an `f32` scale for each 32 values, as fine as `q8_0` and finer than `q8_K`, and the sums
//! that stand in for a weight's offset or minimum. Nothing here is stored in files.

use bytemuck::{Pod, Zeroable};

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
    /// Scale of each 32 values. NaN where one of them was not finite.
    pub d: [f32; 8],
    /// `d * sum(qs)` of each 32 values.
    pub dsum: [f32; 8],
    /// `d * sum(qs)` of each 16 values.
    pub half_dsum: [f32; 16],
    /// `sum(qs)` of each 16 values.
    pub half_sum: [i32; 16],
    /// `sum(qs)` of each 32 values.
    pub sum: [i32; 8],
    // Keeps blocks on cache-line borders.
    _pad: [u32; 8],
}

/// Values in a [`BlockQ8`].
pub const BLOCK: usize = 256;

/// Groups with a smaller magnitude than this become zeros: the inverse scale would overflow.
const SMALLEST: f32 = 1e-36;

/// Quantizes one row of activations.
pub(crate) struct Quantize<'a> {
    pub(crate) x: &'a [f32],
    pub(crate) out: &'a mut [BlockQ8],
}

impl Kernel for Quantize<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self, isa: I) {
        let Quantize { x, out } = self;
        assert_eq!(out.len(), x.len().div_ceil(BLOCK), "blocks for a row of {} activations", x.len());
        let (blocks, tail) = x.as_chunks::<BLOCK>();
        for (x, out) in blocks.iter().zip(&mut *out) {
            block(isa, x, out);
        }
        if let Some(out) = out.get_mut(blocks.len()) {
            let mut x = [0.0; BLOCK];
            x[..tail.len()].copy_from_slice(tail);
            block(isa, &x, out);
        }
    }
}

#[inline(always)]
fn block<I: Isa>(isa: I, x: &[f32; BLOCK], out: &mut BlockQ8) {
    let groups = x.as_chunks::<32>().0;
    let qs: &mut [[[i8; 16]; 2]; 8] = bytemuck::cast_mut(&mut out.qs);
    for (i, (x, qs)) in groups.iter().zip(qs).enumerate() {
        let [a, b] =
            [isa.load(x.first_chunk().expect("32 values")), isa.load(x.last_chunk().expect("32 values"))];
        let amax = isa.max_lane(isa.max(isa.abs(a), isa.abs(b)));
        // 0 for finite values, NaN for others, which a maximum may lose.
        let zero = isa.splat(0.0);
        let poison = isa.sum(isa.fma(a, zero, isa.mul(b, zero)));
        let (d, inverse) = if amax >= SMALLEST { (amax / 127.0, 127.0 / amax) } else { (0.0, 0.0) };
        let inverse = isa.splat(inverse);
        isa.store_i8(isa.round(isa.mul(a, inverse)), &mut qs[0]);
        isa.store_i8(isa.round(isa.mul(b, inverse)), &mut qs[1]);
        out.d[i] = d + poison;
    }
    let ones = isa.splat_bytes(1);
    for (i, qs) in out.qs.iter().enumerate() {
        let mut quads = [0.0; 16];
        isa.store(isa.to_f32(isa.dot(ones, qs)), &mut quads);
        for half in 0..4 {
            out.half_sum[4 * i + half] = quads[4 * half..4 * half + 4].iter().sum::<f32>() as i32;
        }
    }
    for i in 0..8 {
        out.sum[i] = out.half_sum[2 * i] + out.half_sum[2 * i + 1];
        out.dsum[i] = out.d[i] * out.sum[i] as f32;
        out.half_dsum[2 * i] = out.d[i] * out.half_sum[2 * i] as f32;
        out.half_dsum[2 * i + 1] = out.d[i] * out.half_sum[2 * i + 1] as f32;
    }
    out._pad = [0; 8];
}
