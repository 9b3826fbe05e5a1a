//! `IQ4_NL`: four bits a value, codes of unevenly spaced levels.

use bytemuck::{Pod, Zeroable};

use crate::block::{Block, F16};
use crate::pack::unpack;
use crate::tables::IQ4_LEVELS;

/// 32 values `d * IQ4_LEVELS[q]`.
///
/// ```text
/// byte 0  2              18
///      |d |qs[16]         |    qs[j]: low nibble value j, high nibble value j + 16
/// ```
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct BlockIq4Nl {
    pub d: F16,
    pub qs: [u8; 16],
}

impl Block<32> for BlockIq4Nl {
    fn decode(&self, out: &mut [f32; 32]) {
        let d = self.d.to_f32();
        *out = unpack::<4, 16, 32>(&self.qs).map(|q| d * f32::from(IQ4_LEVELS[usize::from(q)]));
    }

    fn is_finite(&self) -> bool {
        self.d.is_finite()
    }
}
