//! `MXFP4`: four-bit floats with a shared power of two (OCP Microscaling Formats 1.0).

use bytemuck::{Pod, Zeroable};

use crate::block::Block;
use crate::pack::unpack;
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

    fn is_finite(&self) -> bool {
        self.e != 0xFF
    }
}
