//! `Q4_0`: four bits a value, symmetric.

use bytemuck::{Pod, Zeroable};

use crate::block::{Block, F16};
use crate::pack::unpack;

/// 32 values `(q - 8) * d`.
///
/// ```text
/// byte 0  2              18
///      |d |qs[16]         |    qs[j]: low nibble value j, high nibble value j + 16
/// ```
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct BlockQ4_0 {
    pub d: F16,
    pub qs: [u8; 16],
}

impl Block<32> for BlockQ4_0 {
    fn decode(&self, out: &mut [f32; 32]) {
        let d = self.d.to_f32();
        *out = unpack::<4, 16, 32>(&self.qs).map(|q| (f32::from(q) - 8.0) * d);
    }

    fn is_finite(&self) -> bool {
        self.d.is_finite()
    }
}
