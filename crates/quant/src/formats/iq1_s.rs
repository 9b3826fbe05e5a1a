//! `IQ1_S`: eight values at a time from a codebook of 2048, with a shift and a 3-bit scale for each 32.

use bytemuck::{Pod, Zeroable};

use crate::block::{Block, F16, U16};
use crate::tables::{IQ1_DELTA, IQ1S_GRID};

/// 256 values `d * (2 * scale + 1) * (entry ± IQ1_DELTA)`.
///
/// ```text
/// byte 0  2       34      50
///      |d |qs[32] |qh[8]   |    eight e: index qs[e] and, above it, bits 3 * (e % 4) of qh[e / 4]
/// qh[g], of group g of 32 values: bits 12..15 the scale; bit 15 set: the shift is negative
/// ```
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct BlockIq1S {
    pub d: F16,
    pub qs: [u8; 32],
    pub qh: [U16; 8],
}

impl Block<256> for BlockIq1S {
    fn decode(&self, out: &mut [f32; 256]) {
        let d = self.d.to_f32();
        for (e, (out, low)) in out.as_chunks_mut().0.iter_mut().zip(self.qs).enumerate() {
            let qh = self.qh[e / 4].get();
            let scale = d * f32::from(2 * (qh >> 12 & 7) + 1);
            let high = usize::from(qh >> (e % 4 * 3) & 7);
            *out = shifted(usize::from(low) | high << 8, qh >> 15 == 1, scale);
        }
    }

    fn is_finite(&self) -> bool {
        self.d.is_finite()
    }
}

/// `scale` times the eight values of a codebook entry, each shifted by `IQ1_DELTA`.
pub(super) fn shifted(index: usize, negative: bool, scale: f32) -> [f32; 8] {
    let delta = if negative { -IQ1_DELTA } else { IQ1_DELTA };
    IQ1S_GRID[index].to_le_bytes().map(|value| scale * (f32::from(value as i8) + delta))
}
