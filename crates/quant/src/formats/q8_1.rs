//! `Q8_1`: eight bits a value and their sum; the activations that meet formats with a minimum. Never in a file.

use bytemuck::{Pod, Zeroable};

use crate::block::{Block, F16, Importance};
use crate::search::{inverse, largest_magnitude, round_half_away};
use crate::vectorized::each;

/// 32 values `q * d`.
///
/// ```text
/// byte 0  2  4              36
///      |d |s |qs[32]         |    s = d * sum of qs
/// ```
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct BlockQ8_1 {
    pub d: F16,
    /// `d` times the sum of `qs`: what a minimum is multiplied by in a dot product.
    pub s: F16,
    pub qs: [i8; 32],
}

impl Block<32> for BlockQ8_1 {
    fn decode(&self, out: &mut [f32; 32]) {
        let d = self.d.to_f32();
        *out = self.qs.map(|q| f32::from(q) * d);
    }

    #[inline(always)]
    fn encode(x: &[f32; 32], _: Option<Importance<'_, 32>>) -> Self {
        let d = largest_magnitude(x) / 127.0;
        let inverse = inverse(d);
        let qs = each(x, |x| round_half_away(x * inverse) as i8);
        let sum: i32 = qs.iter().map(|&q| i32::from(q)).sum();
        Self { d: F16::from_f32(d), s: F16::from_f32(sum as f32 * d), qs }
    }

    fn is_finite(&self) -> bool {
        self.d.is_finite() && self.s.is_finite()
    }
}
