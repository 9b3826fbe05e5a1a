//! `Q4_0`: four bits a value, symmetric.

use bytemuck::{Pod, Zeroable};

use crate::block::{Block, F16, Importance};
use crate::pack::{pack, unpack};
use crate::search::{round_symmetric, search_symmetric, weights};

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

    #[inline(always)]
    fn encode(x: &[f32; 32], importance: Option<Importance<'_, 32>>) -> Self {
        let (d, codes) = match importance {
            Some(importance) => {
                let weights = weights(x, importance.values, importance.row_mean_square);
                search_symmetric(x, &weights, 8.0)
            }
            None => round_symmetric(x, 8.0),
        };
        Self { d: F16::from_f32(d), qs: pack::<4, 32, 16>(&codes) }
    }

    fn is_finite(&self) -> bool {
        self.d.is_finite()
    }
}
