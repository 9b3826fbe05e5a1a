//! `MXFP4`: four-bit floats with a shared power of two (OCP Microscaling Formats 1.0).

use bytemuck::{Pod, Zeroable};

use crate::block::{Block, Importance};
use crate::pack::{pack, unpack};
use crate::search::largest_magnitude;
use crate::tables::FP4_DOUBLED;

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
    pub const fn scale(&self) -> f32 {
        f32::from_bits(match self.e {
            0 => 0x0020_0000,
            1 => 0x0040_0000,
            e => (e as u32 - 1) << 23,
        })
    }
}

impl Block<32> for BlockMxfp4 {
    fn decode(&self, out: &mut [f32; 32]) {
        let scale = self.scale();
        *out = unpack::<4, 16, 32>(&self.qs).map(|q| f32::from(FP4_DOUBLED[usize::from(q)]) * scale);
    }

    fn encode(x: &[f32; 32], _: Option<Importance<'_, 32>>) -> Self {
        let max = largest_magnitude(x);
        let e = if max > 0.0 { (f64::from(max).log2() as f32).floor() - 2.0 + 127.0 } else { 0.0 };
        let mut block = Self { e: e as u8, qs: [0; 16] };
        let scale = block.scale();
        block.qs = pack::<4, 32, 16>(&x.map(|x| nearest_fp4(x, scale)));
        block
    }

    fn is_finite(&self) -> bool {
        self.e != 0xFF
    }
}

/// The code whose value is closest to `x`, the first of equals.
pub(super) fn nearest_fp4(x: f32, scale: f32) -> u8 {
    let errors = FP4_DOUBLED.map(|value| (f32::from(value) * scale - x).abs());
    let (mut best, mut best_error) = (0, errors[0]);
    for (code, error) in (0..).zip(errors) {
        if error < best_error {
            (best, best_error) = (code, error);
        }
    }
    best
}
