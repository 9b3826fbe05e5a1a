//! `Q3_K`: three bits a value, 16 groups of 16 with a 6-bit scale.

use bytemuck::{Pod, Zeroable};

use crate::block::{Block, F16};
use crate::formats::q2_k::codes;
use crate::pack::unpack;

/// 256 values `d * (scale - 32) * (q - 4)`, scale of group `j / 16`.
///
/// ```text
/// byte 0         32              96         108 110
///      |hmask[32]|qs[64]          |scales[12]|d  |
/// qs: low two bits of the codes, as in `Q2_K`; third bit of value j: bit j / 32 of hmask[j % 32]
/// scales[0..8]:  low nibbles of scales 0..8, high nibbles of scales 8..16 (low four bits)
/// scales[8..12]: scales[8 + g % 4] bits 2 * (g / 4) are the high two bits of scale g
/// ```
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct BlockQ3K {
    pub hmask: [u8; 32],
    pub qs: [u8; 64],
    pub scales: [u8; 12],
    pub d: F16,
}

impl BlockQ3K {
    /// The 16 scales, -32 to 31.
    #[must_use]
    pub fn scales(&self) -> [i8; 16] {
        let [low @ .., h0, h1, h2, h3] = self.scales;
        let low = unpack::<4, 8, 16>(&low);
        let high = unpack::<2, 4, 16>(&[h0, h1, h2, h3]);
        std::array::from_fn(|g| (low[g] | high[g] << 4) as i8 - 32)
    }
}

impl Block<256> for BlockQ3K {
    fn decode(&self, out: &mut [f32; 256]) {
        let d = self.d.to_f32();
        let high = unpack::<1, 32, 256>(&self.hmask);
        let low = codes(&self.qs);
        let (low, high) = (low.as_chunks::<16>().0, high.as_chunks::<16>().0);
        for (((out, low), high), scale) in
            out.as_chunks_mut().0.iter_mut().zip(low).zip(high).zip(self.scales())
        {
            let out: &mut [f32; 16] = out;
            let scale = d * f32::from(scale);
            for ((out, low), high) in out.iter_mut().zip(low).zip(high) {
                *out = scale * (f32::from(low | high << 2) - 4.0);
            }
        }
    }

    fn is_finite(&self) -> bool {
        self.d.is_finite()
    }
}
