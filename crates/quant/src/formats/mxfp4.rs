//! `MXFP4`: four-bit floats with a shared power of two (OCP Microscaling Formats 1.0).

use bytemuck::{Pod, Zeroable};

use crate::block::{Block, Importance};
use crate::pack::{pack, unpack};
use crate::search::largest_magnitude;
use crate::tables::FP4_DOUBLED;
use crate::vectorized::each;

/// 32 values `FP4_DOUBLED[q] * scale`, the scale being `2^(e - 127) / 2`.
///
/// ```text
/// byte 0  1              17
///      |e |qs[16]         |    qs[j]: low nibble value j, high nibble value j + 16
/// ```
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct BlockMxfp4 {
    /// The scale as E8M0: a power of two without sign; 255 is NaN.
    pub e: u8,
    pub qs: [u8; 16],
}

impl BlockMxfp4 {
    /// Half of the E8M0 scale, as the code values are doubled.
    #[must_use]
    #[inline(always)]
    pub const fn scale(&self) -> f32 {
        half_power(self.e as u32)
    }
}

/// `2^(e - 127) / 2`, for `e` below 256, of which 255 is NaN. Without branches, for vectors of it.
#[must_use]
#[inline(always)]
pub const fn half_power(e: u32) -> f32 {
    // The least two are below the smallest normal number.
    let least = if e == 0 { 0x0020_0000 } else { 0x0040_0000 };
    let normal = e.saturating_sub(1) << 23;
    f32::from_bits(if normal > least { normal } else { least })
}

impl Block<32> for BlockMxfp4 {
    fn decode(&self, out: &mut [f32; 32]) {
        let scale = self.scale();
        *out = unpack::<4, 16, 32>(&self.qs).map(|q| f32::from(FP4_DOUBLED[usize::from(q)]) * scale);
    }

    #[inline(always)]
    fn encode(x: &[f32; 32], _: Option<Importance<'_, 32>>) -> Self {
        let max = largest_magnitude(x);
        let e = if max > 0.0 { (f64::from(max).log2() as f32).floor() - 2.0 + 127.0 } else { 0.0 };
        let mut block = Self { e: e as u8, qs: [0; 16] };
        let scale = block.scale();
        block.qs = pack::<4, 32, 16>(&each(x, |x| nearest_fp4(x, scale)));
        block
    }

    fn is_finite(&self) -> bool {
        self.e != 0xFF
    }
}

/// The code whose value is closest to `x`, of two equally close the smaller; 0 for a scale of 0.
#[inline(always)]
pub(super) fn nearest_fp4(x: f32, scale: f32) -> u8 {
    /// Halfway between neighbours of the magnitudes in `FP4_DOUBLED`.
    const BORDERS: [f32; 7] = [0.5, 1.5, 2.5, 3.5, 5.0, 7.0, 10.0];
    let magnitude: u8 = BORDERS.iter().map(|border| u8::from(x.abs() > border * scale)).sum();
    let sign = if x < 0.0 && magnitude > 0 { 8 } else { 0 };
    if scale > 0.0 { sign | magnitude } else { 0 }
}
