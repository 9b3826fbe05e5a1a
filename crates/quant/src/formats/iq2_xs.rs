//! `IQ2_XS`: eight values at a time from a codebook of 512, with signs and a 4-bit scale for each 16.

use bytemuck::{Pod, Zeroable};

use crate::block::{Block, F16, U16};
use crate::formats::iq2_xxs::signed;
use crate::tables::{EVEN_SIGNS, IQ2XS_GRID};

/// 256 values `d * (0.5 + scale) / 4 * magnitude * sign`.
///
/// ```text
/// byte 0  2              66        74
///      |d |qs[32]         |scales[8]|    eight e: qs[e], scale nibble e / 2 % 2 of scales[e / 4]
/// qs[e]: low 9 bits the codebook index, high 7 the `EVEN_SIGNS` index
/// ```
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct BlockIq2Xs {
    pub d: F16,
    pub qs: [U16; 32],
    pub scales: [u8; 8],
}

impl Block<256> for BlockIq2Xs {
    fn decode(&self, out: &mut [f32; 256]) {
        let d = self.d.to_f32();
        for (e, (out, q)) in out.as_chunks_mut().0.iter_mut().zip(self.qs).enumerate() {
            let scale = self.scales[e / 4] >> (e / 2 % 2 * 4) & 15;
            let scale = d * (0.5 + f32::from(scale)) * 0.25;
            let index = usize::from(q.get() & 511);
            let signs = EVEN_SIGNS[usize::from(q.get() >> 9)];
            *out = signed(IQ2XS_GRID[index].to_le_bytes(), signs, scale);
        }
    }

    fn is_finite(&self) -> bool {
        self.d.is_finite()
    }
}
