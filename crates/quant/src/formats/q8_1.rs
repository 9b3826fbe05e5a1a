//! `Q8_1`: eight bits a value and their sum; the activations that meet formats with a minimum. Never in a file.

use bytemuck::{Pod, Zeroable};

use crate::block::{Block, F16};

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

    fn is_finite(&self) -> bool {
        self.d.is_finite() && self.s.is_finite()
    }
}
