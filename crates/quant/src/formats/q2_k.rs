//! `Q2_K`: two bits a value, 16 groups of 16 with 4-bit scale and minimum.

use bytemuck::{Pod, Zeroable};

use crate::block::{Block, F16, Importance};
use crate::pack::{pack, unpack};
use crate::search::{AffineFormat, AffineSearch, Loss};
use crate::vectorized::each;

/// 256 values `d * scale * q - dmin * min`, scale and minimum of group `j / 16`.
///
/// ```text
/// byte 0          16              80  82    84
///      |scales[16]|qs[64]          |d  |dmin |
/// scales[g]: low nibble scale, high nibble minimum of group g
/// qs[32 * h + l], of half h: bits 2 * k are value 128 * h + 32 * k + l
/// ```
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct BlockQ2K {
    pub scales: [u8; 16],
    pub qs: [u8; 64],
    pub d: F16,
    pub dmin: F16,
}

const SEARCH: AffineFormat<16> = AffineFormat {
    plain: AffineSearch { n_max: 3.0, first: -0.5, step: 0.1, n_steps: 15, loss: Loss::Absolute },
    plain_weights: |x| each(x, f32::abs),
    sigma: 1.0,
    scale_max: 15,
};

impl Block<256> for BlockQ2K {
    fn decode(&self, out: &mut [f32; 256]) {
        let (d, dmin) = (self.d.to_f32(), self.dmin.to_f32());
        let (out, _) = out.as_chunks_mut::<16>();
        for ((out, codes), scale) in out.iter_mut().zip(codes(&self.qs).as_chunks().0).zip(self.scales) {
            let codes: &[u8; 16] = codes;
            let (scale, min) = (d * f32::from(scale & 15), dmin * f32::from(scale >> 4));
            *out = codes.map(|q| scale * f32::from(q) - min);
        }
    }

    #[inline(always)]
    fn encode(x: &[f32; 256], importance: Option<Importance<'_, 256>>) -> Self {
        let block = SEARCH.encode::<16>(x, importance);
        let scales = std::array::from_fn(|g| block.scales[g] | block.mins[g] << 4);
        Self { scales, qs: packed(&block.codes), d: block.d, dmin: block.dmin }
    }

    fn is_finite(&self) -> bool {
        self.d.is_finite() && self.dmin.is_finite()
    }
}

/// The 256 two-bit codes of `Q2_K`, and the low bits of `Q3_K`.
pub(super) fn codes(qs: &[u8; 64]) -> [u8; 256] {
    let mut codes = [0; 256];
    for (codes, qs) in codes.as_chunks_mut().0.iter_mut().zip(qs.as_chunks().0) {
        *codes = unpack::<2, 32, 128>(qs);
    }
    codes
}

/// The inverse of [`codes`].
#[inline(always)]
pub(super) fn packed(codes: &[u8; 256]) -> [u8; 64] {
    let mut qs = [0; 64];
    for (qs, codes) in qs.as_chunks_mut().0.iter_mut().zip(codes.as_chunks().0) {
        *qs = pack::<2, 128, 32>(codes);
    }
    qs
}
