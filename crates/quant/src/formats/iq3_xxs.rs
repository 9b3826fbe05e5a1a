//! `IQ3_XXS`: four values at a time from a codebook of 256, with signs and a 4-bit scale for each 32.

use bytemuck::{Pod, Zeroable};

use crate::block::{Block, F16};
use crate::formats::iq2_xxs::signed;
use crate::tables::{EVEN_SIGNS, IQ3XXS_GRID};

/// 256 values `d * (0.5 + scale) / 2 * magnitude * sign`.
///
/// ```text
/// byte 0  2       66                 98
///      |d |qs[64] |scales_signs[8]    |
/// qs[f]: codebook index of four f
/// scales_signs[g], a u32 of group g of 32 values: bits 7 * k are the `EVEN_SIGNS` index of eight k, bits 28.. the scale
/// ```
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct BlockIq3Xxs {
    pub d: F16,
    pub qs: [u8; 64],
    pub scales_signs: [[u8; 4]; 8],
}

impl Block<256> for BlockIq3Xxs {
    fn decode(&self, out: &mut [f32; 256]) {
        let d = self.d.to_f32();
        let eights = out.as_chunks_mut().0.iter_mut().zip(self.qs.as_chunks::<2>().0);
        for (e, (out, &[first, second])) in eights.enumerate() {
            let word = u32::from_le_bytes(self.scales_signs[e / 4]);
            let scale = d * (0.5 + (word >> 28) as f32) * 0.5;
            let signs = EVEN_SIGNS[(word >> (e % 4 * 7) & 127) as usize];
            let magnitudes = pair(IQ3XXS_GRID[usize::from(first)], IQ3XXS_GRID[usize::from(second)]);
            *out = signed(magnitudes, signs, scale);
        }
    }

    fn is_finite(&self) -> bool {
        self.d.is_finite()
    }
}

/// The eight magnitudes of two codebook entries.
pub(super) fn pair(first: u32, second: u32) -> [u8; 8] {
    (u64::from(first) | u64::from(second) << 32).to_le_bytes()
}
