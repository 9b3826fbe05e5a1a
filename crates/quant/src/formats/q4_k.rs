//! `Q4_K`: four bits a value, 8 groups of 32 with 6-bit scale and minimum.

use bytemuck::{Pod, Zeroable};

use crate::block::{Block, F16, Importance};
use crate::pack::{pack, unpack};
use crate::search::{AffineFormat, AffineSearch, Loss, sum_of_squares};
use crate::vectorized::each;

/// 256 values `d * scale * q - dmin * min`, scale and minimum of group `j / 32`.
///
/// ```text
/// byte 0  2     4          16              144
///      |d |dmin |scales[12]|qs[128]          |
/// qs[32 * p + l]: low nibble value 64 * p + l, high nibble value 64 * p + 32 + l
/// scales, low bits at the right (s: scale, m: minimum of a group; h, l: high 2, low 4 bits):
///      0 [s4h|s0] 1 [s5h|s1] 2 [s6h|s2] 3 [s7h|s3]
///      4 [m4h|m0] 5 [m5h|m1] 6 [m6h|m2] 7 [m7h|m3]
///      8 [m4l|s4l] 9 [m5l|s5l] 10 [m6l|s6l] 11 [m7l|s7l]
/// ```
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct BlockQ4K {
    pub d: F16,
    pub dmin: F16,
    pub scales: [u8; 12],
    pub qs: [u8; 128],
}

impl BlockQ4K {
    /// The scale and the minimum of each group, 0 to 63.
    #[must_use]
    pub fn scales_and_mins(&self) -> [(u8, u8); 8] {
        scales_and_mins(&self.scales)
    }
}

const SEARCH: AffineFormat<32> = AffineFormat {
    plain: AffineSearch { n_max: 15.0, first: -1.0, step: 0.1, n_steps: 20, loss: Loss::Square },
    plain_weights,
    sigma: 2.0,
    scale_max: 63,
};

impl Block<256> for BlockQ4K {
    fn decode(&self, out: &mut [f32; 256]) {
        let (d, dmin) = (self.d.to_f32(), self.dmin.to_f32());
        let groups = self.scales_and_mins();
        let (pairs, _) = out.as_chunks_mut::<64>();
        for ((out, qs), pair) in pairs.iter_mut().zip(self.qs.as_chunks().0).zip(groups.as_chunks::<2>().0) {
            let codes = unpack::<4, 32, 64>(qs);
            let groups = out.as_chunks_mut::<32>().0.iter_mut().zip(codes.as_chunks::<32>().0);
            for ((out, codes), (scale, min)) in groups.zip(pair) {
                let (scale, min) = (d * f32::from(*scale), dmin * f32::from(*min));
                *out = codes.map(|q| scale * f32::from(q) - min);
            }
        }
    }

    #[inline(always)]
    fn encode(x: &[f32; 256], importance: Option<Importance<'_, 256>>) -> Self {
        let block = SEARCH.encode::<8>(x, importance);
        let mut qs = [0; 128];
        for (qs, codes) in qs.as_chunks_mut().0.iter_mut().zip(block.codes.as_chunks().0) {
            *qs = pack::<4, 64, 32>(codes);
        }
        Self { d: block.d, dmin: block.dmin, scales: packed_scales(&block.scales, &block.mins), qs }
    }

    fn is_finite(&self) -> bool {
        self.d.is_finite() && self.dmin.is_finite()
    }
}

/// Unpacks the scales and minimums of `Q4_K` and `Q5_K`.
pub(super) fn scales_and_mins(packed: &[u8; 12]) -> [(u8, u8); 8] {
    std::array::from_fn(|g| match g {
        0..4 => (packed[g] & 63, packed[g + 4] & 63),
        _ => {
            let (low, high_scale, high_min) = (packed[g + 4], packed[g - 4] >> 6, packed[g] >> 6);
            (low & 15 | high_scale << 4, low >> 4 | high_min << 4)
        }
    })
}

/// The inverse of [`scales_and_mins`].
#[inline(always)]
pub(super) fn packed_scales(scales: &[u8; 8], mins: &[u8; 8]) -> [u8; 12] {
    let mut packed = [0; 12];
    for g in 0..4 {
        packed[g] = scales[g] | scales[g + 4] >> 4 << 6;
        packed[g + 4] = mins[g] | mins[g + 4] >> 4 << 6;
        packed[g + 8] = scales[g + 4] & 15 | mins[g + 4] << 4;
    }
    packed
}

/// What an error of each value costs where no importance is known.
#[inline(always)]
pub(super) fn plain_weights(x: &[f32; 32]) -> [f32; 32] {
    let root_mean_square = (sum_of_squares(x) / 32.0).sqrt();
    each(x, |x| root_mean_square + x.abs())
}
