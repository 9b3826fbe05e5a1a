//! `IQ2_S`: eight values at a time from a codebook of 1024, with signs and a 4-bit scale for each 16.

use bytemuck::{Pod, Zeroable};

use crate::block::{Block, F16};
use crate::formats::iq2_xxs::signed;
use crate::tables::IQ2S_GRID;

/// 256 values `d * (0.5 + scale) / 4 * magnitude * sign`.
///
/// ```text
/// byte 0  2       34         66    74         82
///      |d |qs[32] |signs[32] |qh[8]|scales[8] |
/// eight e: index qs[e] and, above it, bits 2 * (e % 4) of qh[e / 4]; sign mask signs[e];
///          scale nibble e / 2 % 2 of scales[e / 4]
/// ```
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct BlockIq2S {
    pub d: F16,
    /// The low bits of the codebook indexes.
    pub qs: [u8; 32],
    pub signs: [u8; 32],
    pub qh: [u8; 8],
    pub scales: [u8; 8],
}

impl Block<256> for BlockIq2S {
    fn decode(&self, out: &mut [f32; 256]) {
        let d = self.d.to_f32();
        for (e, out) in out.as_chunks_mut().0.iter_mut().enumerate() {
            let scale = self.scales[e / 4] >> (e / 2 % 2 * 4) & 15;
            let scale = d * (0.5 + f32::from(scale)) * 0.25;
            let high = self.qh[e / 4] >> (e % 4 * 2) & 3;
            let index = usize::from(self.qs[e]) | usize::from(high) << 8;
            *out = signed(IQ2S_GRID[index].to_le_bytes(), self.signs[e], scale);
        }
    }

    fn is_finite(&self) -> bool {
        self.d.is_finite()
    }
}
