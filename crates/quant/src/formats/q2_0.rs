//! `Q2_0`: two bits a value, the codes -1, 0, 1, 2 of a scale.

use bytemuck::{Pod, Zeroable};

use crate::block::{Block, F16, Importance};
use crate::pack::{pack, unpack};
use crate::search::{inverse, largest_magnitude, round_half_away};
use crate::vectorized::each;

/// 64 values `(q - 1) * d`.
///
/// ```text
/// byte 0  2              18
///      |d |qs[16]         |    value j: bits 2 * (j % 4) of qs[j / 4]
/// ```
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct BlockQ2_0 {
    pub d: F16,
    pub qs: [u8; 16],
}

impl Block<64> for BlockQ2_0 {
    fn decode(&self, out: &mut [f32; 64]) {
        let d = self.d.to_f32();
        for (out, byte) in out.as_chunks_mut::<4>().0.iter_mut().zip(self.qs) {
            let codes: [u8; 4] = unpack::<2, 1, 4>(&[byte]);
            *out = codes.map(|q| (f32::from(q) - 1.0) * d);
        }
    }

    #[inline(always)]
    fn encode(x: &[f32; 64], _: Option<Importance<'_, 64>>) -> Self {
        let d = largest_magnitude(x);
        let inverse = inverse(d);
        let mut qs = [0; 16];
        for (byte, x) in qs.iter_mut().zip(x.as_chunks::<4>().0) {
            [*byte] = pack::<2, 4, 1>(&each(x, |x| (round_half_away(x * inverse) + 1) as u8));
        }
        Self { d: F16::from_f32(d), qs }
    }

    fn is_finite(&self) -> bool {
        self.d.is_finite()
    }
}
