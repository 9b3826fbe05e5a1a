//! `Q4_1`: four bits a value, with a minimum.

use bytemuck::{Pod, Zeroable};

use crate::block::{Block, F16, Importance};
use crate::pack::{pack, unpack};
use crate::search::{AffineSearch, round_affine, weights};

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

    #[inline(always)]
    fn encode(x: &[f32; 32], importance: Option<Importance<'_, 32>>) -> Self {
        let (d, m, codes) = match importance {
            Some(importance) => {
                let weights = weights(x, importance.values, importance.row_mean_square);
                let found = AffineSearch::weighted(15.0).run(x, &weights);
                (found.scale, -found.min, found.codes)
            }
            None => round_affine(x, 15.0),
        };
        Self { d: F16::from_f32(d), m: F16::from_f32(m), qs: pack::<4, 32, 16>(&codes) }
    }

    fn is_finite(&self) -> bool {
        self.d.is_finite() && self.m.is_finite()
    }
}
