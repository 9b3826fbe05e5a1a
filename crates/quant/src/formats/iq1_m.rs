//! `IQ1_M`: eight values at a time from the codebook of `IQ1_S`, with a shift for each eight and a 3-bit scale
//! for each 16.

use bytemuck::{Pod, Zeroable};

use crate::block::{Block, F16, U16};
use crate::formats::iq1_s::shifted;

/// 256 values `d * (2 * scale + 1) * (entry ± IQ1_DELTA)`.
///
/// ```text
/// byte 0      32      48         56
///      |qs[32]|qh[16] |scales[4] |
/// eight e: nibble e % 2 of qh[e / 2]: low 3 bits above qs[e] make the index; bit 3 set: the shift is negative
/// scales[w]: bits 3 * s are the scale of sixteen 4 * w + s; bits 12.. are nibble w of d, a half
/// ```
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct BlockIq1M {
    pub qs: [u8; 32],
    pub qh: [u8; 16],
    pub scales: [U16; 4],
}

impl BlockIq1M {
    /// The scale of the block, which has no field of its own.
    #[must_use]
    pub fn d(&self) -> F16 {
        let nibbles = self.scales.iter().enumerate();
        F16::from_bits(nibbles.fold(0, |bits, (w, word)| bits | word.get() >> 12 << (4 * w)))
    }
}

impl Block<256> for BlockIq1M {
    fn decode(&self, out: &mut [f32; 256]) {
        let d = self.d().to_f32();
        for (e, (out, low)) in out.as_chunks_mut().0.iter_mut().zip(self.qs).enumerate() {
            let scale = self.scales[e / 8].get() >> (e / 2 % 4 * 3) & 7;
            let scale = d * f32::from(2 * scale + 1);
            let high = self.qh[e / 2] >> (e % 2 * 4);
            *out = shifted(usize::from(low) | usize::from(high & 7) << 8, high & 8 != 0, scale);
        }
    }

    fn is_finite(&self) -> bool {
        self.d().is_finite()
    }
}
