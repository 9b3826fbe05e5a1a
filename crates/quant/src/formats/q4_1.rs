//! `Q4_1`: four bits a value, with a minimum.

use bytemuck::{Pod, Zeroable};

use crate::block::{Block, F16};
use crate::pack::unpack;

/// 32 values `q * d + m`.
///
/// ```text
/// byte 0  2  4              20
///      |d |m |qs[16]         |    qs[j]: low nibble value j, high nibble value j + 16
/// ```
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct BlockQ4_1 {
    pub d: F16,
    pub m: F16,
    pub qs: [u8; 16],
}

impl Block<32> for BlockQ4_1 {
    fn decode(&self, out: &mut [f32; 32]) {
        let (d, m) = (self.d.to_f32(), self.m.to_f32());
        *out = unpack::<4, 16, 32>(&self.qs).map(|q| f32::from(q) * d + m);
    }

    fn is_finite(&self) -> bool {
        self.d.is_finite() && self.m.is_finite()
    }
}
