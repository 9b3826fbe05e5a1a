//! `IQ2_XXS`: eight values at a time from a codebook of 256, with signs and a 4-bit scale for each 32.

use bytemuck::{Pod, Zeroable};

use crate::block::{Block, F16};
use crate::tables::{EVEN_SIGNS, IQ2XXS_GRID};

/// 256 values `d * (0.5 + scale) / 4 * magnitude * sign`.
///
/// ```text
/// byte 0  2              66
///      |d |qs[8][8]       |    group g of 32 values: qs[g]
/// qs[g]: 4 bytes, the codebook index of each 8 values; then a u32: bits 7 * k are the `EVEN_SIGNS` index of
///        eight k, bits 28.. the scale
/// ```
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct BlockIq2Xxs {
    pub d: F16,
    pub qs: [[u8; 8]; 8],
}

impl Block<256> for BlockIq2Xxs {
    fn decode(&self, out: &mut [f32; 256]) {
        let d = self.d.to_f32();
        for (out, qs) in out.as_chunks_mut::<32>().0.iter_mut().zip(&self.qs) {
            let [indexes @ .., w0, w1, w2, w3] = *qs;
            let word = u32::from_le_bytes([w0, w1, w2, w3]);
            let scale = d * (0.5 + (word >> 28) as f32) * 0.25;
            for (k, (out, index)) in out.as_chunks_mut().0.iter_mut().zip(indexes).enumerate() {
                let signs = EVEN_SIGNS[(word >> (7 * k) & 127) as usize];
                *out = signed(IQ2XXS_GRID[usize::from(index)].to_le_bytes(), signs, scale);
            }
        }
    }

    fn is_finite(&self) -> bool {
        self.d.is_finite()
    }
}

/// `scale` times eight magnitudes, negative where `signs` has a bit.
pub(super) fn signed(magnitudes: [u8; 8], signs: u8, scale: f32) -> [f32; 8] {
    std::array::from_fn(|i| {
        let value = scale * f32::from(magnitudes[i]);
        if signs >> i & 1 == 1 { -value } else { value }
    })
}
