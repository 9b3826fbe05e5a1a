//! `Q8_0`: eight bits a value.

use bytemuck::{Pod, Zeroable};

use crate::block::{Block, F16, Importance};
use crate::search::{inverse, largest_magnitude, round_half_away};
use crate::vectorized::each;

/// 32 values `q * d`.
///
/// ```text
/// byte 0  2              34
///      |d |qs[32]         |
/// ```
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct BlockQ8_0 {
    pub d: F16,
    pub qs: [i8; 32],
}

impl Block<32> for BlockQ8_0 {
    fn decode(&self, out: &mut [f32; 32]) {
        let d = self.d.to_f32();
        *out = self.qs.map(|q| f32::from(q) * d);
    }

    #[inline(always)]
    fn encode(x: &[f32; 32], _: Option<Importance<'_, 32>>) -> Self {
        let d = largest_magnitude(x) / 127.0;
        let inverse = inverse(d);
        Self { d: F16::from_f32(d), qs: each(x, |x| round_half_away(x * inverse) as i8) }
    }

    fn is_finite(&self) -> bool {
        self.d.is_finite()
    }
}
