//! `Q5_K`: five bits a value, 8 groups of 32 with 6-bit scale and minimum.

use bytemuck::{Pod, Zeroable};

use crate::block::{Block, F16, Importance};
use crate::formats::q4_k::{packed_scales, plain_weights, scales_and_mins};
use crate::pack::{pack, unpack};
use crate::search::{AffineFormat, AffineSearch, Loss};
use crate::vectorized::each;

/// 256 values `d * scale * q - dmin * min`, scale and minimum of group `j / 32`.
///
/// ```text
/// byte 0  2     4          16     48              176
///      |d |dmin |scales[12]|qh[32]|qs[128]          |
/// scales, qs: as in `Q4_K`; fifth bit of value j: bit j / 32 of qh[j % 32]
/// ```
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct BlockQ5K {
    pub d: F16,
    pub dmin: F16,
    pub scales: [u8; 12],
    pub qh: [u8; 32],
    pub qs: [u8; 128],
}

impl BlockQ5K {
    /// The scale and the minimum of each group, 0 to 63.
    #[must_use]
    pub fn scales_and_mins(&self) -> [(u8, u8); 8] {
        scales_and_mins(&self.scales)
    }

    /// The codes, 0 to 31.
    fn codes(&self) -> [u8; 256] {
        let mut codes = [0; 256];
        for (codes, qs) in codes.as_chunks_mut().0.iter_mut().zip(self.qs.as_chunks().0) {
            *codes = unpack::<4, 32, 64>(qs);
        }
        for (code, high) in codes.iter_mut().zip(unpack::<1, 32, 256>(&self.qh)) {
            *code |= high << 4;
        }
        codes
    }
}

const SEARCH: AffineFormat<32> = AffineFormat {
    plain: AffineSearch { n_max: 31.0, first: -0.5, step: 0.1, n_steps: 15, loss: Loss::Square },
    plain_weights,
    sigma: 2.0,
    scale_max: 63,
};

impl Block<256> for BlockQ5K {
    fn decode(&self, out: &mut [f32; 256]) {
        let (d, dmin) = (self.d.to_f32(), self.dmin.to_f32());
        let codes = self.codes();
        let (groups, _) = out.as_chunks_mut::<32>();
        for ((out, codes), (scale, min)) in
            groups.iter_mut().zip(codes.as_chunks::<32>().0).zip(self.scales_and_mins())
        {
            let (scale, min) = (d * f32::from(scale), dmin * f32::from(min));
            *out = codes.map(|q| scale * f32::from(q) - min);
        }
    }

    #[inline(always)]
    fn encode(x: &[f32; 256], importance: Option<Importance<'_, 256>>) -> Self {
        let block = SEARCH.encode::<8>(x, importance);
        let mut qs = [0; 128];
        for (qs, codes) in qs.as_chunks_mut().0.iter_mut().zip(block.codes.as_chunks().0) {
            *qs = pack::<4, 64, 32>(codes);
        }
        let qh = pack::<1, 256, 32>(&each(&block.codes, |code| code >> 4));
        Self { d: block.d, dmin: block.dmin, scales: packed_scales(&block.scales, &block.mins), qh, qs }
    }

    fn is_finite(&self) -> bool {
        self.d.is_finite() && self.dmin.is_finite()
    }
}
