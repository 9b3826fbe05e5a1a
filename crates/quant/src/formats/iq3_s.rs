//! `IQ3_S`: four values at a time from a codebook of 512, with signs and a 4-bit scale for each 32.

use bytemuck::{Pod, Zeroable};

use crate::block::{Block, F16};
use crate::formats::iq2_xxs::signed;
use crate::formats::iq3_xxs::pair;
use crate::tables::IQ3S_GRID;

/// 256 values `d * (1 + 2 * scale) * magnitude * sign`.
///
/// ```text
/// byte 0  2       66    74         106        110
///      |d |qs[64] |qh[8]|signs[32] |scales[4] |
/// four f: index qs[f] and, above it, bit f % 8 of qh[f / 8]; eight e: sign mask signs[e];
/// group g of 32 values: scale nibble g % 2 of scales[g / 2]
/// ```
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct BlockIq3S {
    pub d: F16,
    pub qs: [u8; 64],
    pub qh: [u8; 8],
    pub signs: [u8; 32],
    pub scales: [u8; 4],
}

impl Block<256> for BlockIq3S {
    fn decode(&self, out: &mut [f32; 256]) {
        let d = self.d.to_f32();
        let eights = out.as_chunks_mut().0.iter_mut().zip(self.qs.as_chunks::<2>().0);
        for (e, (out, &[first, second])) in eights.enumerate() {
            let scale = self.scales[e / 8] >> (e / 4 % 2 * 4) & 15;
            let scale = d * f32::from(1 + 2 * scale);
            let high = usize::from(self.qh[e / 4]) >> (e % 4 * 2);
            let first = IQ3S_GRID[usize::from(first) | (high & 1) << 8];
            let second = IQ3S_GRID[usize::from(second) | (high >> 1 & 1) << 8];
            *out = signed(pair(first, second), self.signs[e], scale);
        }
    }

    fn is_finite(&self) -> bool {
        self.d.is_finite()
    }
}
