//! `Q5_1`: five bits a value, with a minimum.

use bytemuck::{Pod, Zeroable};

use crate::block::{Block, F16, Importance};
use crate::formats::q5_0::{codes, packed};
use crate::search::{AffineSearch, round_affine, weights};

/// 32 values `q * d + m`.
///
/// ```text
/// byte 0  2  4    8              24
///      |d |m |qh  |qs[16]         |    codes as in `Q5_0`
/// ```
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct BlockQ5_1 {
    pub d: F16,
    pub m: F16,
    pub qh: [u8; 4],
    pub qs: [u8; 16],
}

impl Block<32> for BlockQ5_1 {
    fn decode(&self, out: &mut [f32; 32]) {
        let (d, m) = (self.d.to_f32(), self.m.to_f32());
        *out = codes(&self.qs, self.qh).map(|q| f32::from(q) * d + m);
    }

    #[inline(always)]
    fn encode(x: &[f32; 32], importance: Option<Importance<'_, 32>>) -> Self {
        let (d, m, codes) = match importance {
            Some(importance) => {
                let weights = weights(x, importance.values, importance.row_mean_square);
                let found = AffineSearch::weighted(31.0).run(x, &weights);
                (found.scale, -found.min, found.codes)
            }
            None => round_affine(x, 31.0),
        };
        let (qs, qh) = packed(&codes);
        Self { d: F16::from_f32(d), m: F16::from_f32(m), qh, qs }
    }

    fn is_finite(&self) -> bool {
        self.d.is_finite() && self.m.is_finite()
    }
}
