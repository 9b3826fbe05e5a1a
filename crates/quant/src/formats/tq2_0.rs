//! `TQ2_0`: ternary values, two bits each (for BitNet b1.58 and TriLM models).

use bytemuck::{Pod, Zeroable};

use crate::block::{Block, F16, Importance};
use crate::formats::q2_k::{codes, packed};
use crate::search::{inverse, largest_magnitude, round_half_away};
use crate::vectorized::each;

/// 256 values `(q - 1) * d`.
///
/// ```text
/// byte 0              64  66
///      |qs[64]         |d  |    qs[32 * h + l], of half h: bits 2 * k are value 128 * h + 32 * k + l
/// ```
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct BlockTq2_0 {
    pub qs: [u8; 64],
    pub d: F16,
}

impl Block<256> for BlockTq2_0 {
    fn decode(&self, out: &mut [f32; 256]) {
        let d = self.d.to_f32();
        *out = codes(&self.qs).map(|q| (f32::from(q) - 1.0) * d);
    }

    #[inline(always)]
    fn encode(x: &[f32; 256], _: Option<Importance<'_, 256>>) -> Self {
        let d = largest_magnitude(x);
        let inverse = inverse(d);
        let codes = each(x, |x| (round_half_away(x * inverse) + 1) as u8);
        Self { qs: packed(&codes), d: F16::from_f32(d) }
    }

    fn is_finite(&self) -> bool {
        self.d.is_finite()
    }
}
