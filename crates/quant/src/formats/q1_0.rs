//! `Q1_0`: one bit a value, the sign of a shared magnitude.

use bytemuck::{Pod, Zeroable};

use crate::block::{Block, F16, Importance};
use crate::pack::{pack, unpack};
use crate::vectorized::each;

/// 128 values of +d or -d.
///
/// ```text
/// byte 0  2              18
///      |d |qs[16]         |    bit j % 8 of qs[j / 8]: 1 is +d, 0 is -d
/// ```
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct BlockQ1_0 {
    pub d: F16,
    pub qs: [u8; 16],
}

impl Block<128> for BlockQ1_0 {
    fn decode(&self, out: &mut [f32; 128]) {
        let d = self.d.to_f32();
        for (out, byte) in out.as_chunks_mut::<8>().0.iter_mut().zip(self.qs) {
            let bits: [u8; 8] = unpack::<1, 1, 8>(&[byte]);
            *out = bits.map(|bit| if bit == 1 { d } else { -d });
        }
    }

    #[inline(always)]
    fn encode(x: &[f32; 128], _: Option<Importance<'_, 128>>) -> Self {
        let d = x.iter().fold(0.0, |sum, x| sum + x.abs()) / 128.0;
        let mut qs = [0; 16];
        for (byte, x) in qs.iter_mut().zip(x.as_chunks::<8>().0) {
            [*byte] = pack::<1, 8, 1>(&each(x, |x| u8::from(x >= 0.0)));
        }
        Self { d: F16::from_f32(d), qs }
    }

    fn is_finite(&self) -> bool {
        self.d.is_finite()
    }
}
