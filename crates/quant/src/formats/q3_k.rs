//! `Q3_K`: three bits a value, 16 groups of 16 with a 6-bit scale.

use bytemuck::{Pod, Zeroable};

use crate::block::{Block, F16, Importance};
use crate::formats::q2_k::{codes, packed};
use crate::pack::{pack, unpack};
use crate::search::{
    largest, nearest_int, refine_symmetric, round_to_scale, search_symmetric, sum_of_squares, weights,
};
use crate::vectorized::each;

/// 256 values `d * (scale - 32) * (q - 4)`, scale of group `j / 16`.
///
/// ```text
/// byte 0         32              96         108 110
///      |hmask[32]|qs[64]          |scales[12]|d  |
/// qs: low two bits of the codes, as in `Q2_K`; third bit of value j: bit j / 32 of hmask[j % 32]
/// scales[0..8]:  low nibbles of scales 0..8, high nibbles of scales 8..16 (low four bits)
/// scales[8..12]: scales[8 + g % 4] bits 2 * (g / 4) are the high two bits of scale g
/// ```
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct BlockQ3K {
    pub hmask: [u8; 32],
    pub qs: [u8; 64],
    pub scales: [u8; 12],
    pub d: F16,
}

impl BlockQ3K {
    /// The 16 scales, -32 to 31.
    #[must_use]
    pub fn scales(&self) -> [i8; 16] {
        let [low @ .., h0, h1, h2, h3] = self.scales;
        let low = unpack::<4, 8, 16>(&low);
        let high = unpack::<2, 4, 16>(&[h0, h1, h2, h3]);
        std::array::from_fn(|g| (low[g] | high[g] << 4) as i8 - 32)
    }
}

impl Block<256> for BlockQ3K {
    fn decode(&self, out: &mut [f32; 256]) {
        let d = self.d.to_f32();
        let high = unpack::<1, 32, 256>(&self.hmask);
        let low = codes(&self.qs);
        let (low, high) = (low.as_chunks::<16>().0, high.as_chunks::<16>().0);
        for (((out, low), high), scale) in
            out.as_chunks_mut().0.iter_mut().zip(low).zip(high).zip(self.scales())
        {
            let out: &mut [f32; 16] = out;
            let scale = d * f32::from(scale);
            for ((out, low), high) in out.iter_mut().zip(low).zip(high) {
                *out = scale * (f32::from(low | high << 2) - 4.0);
            }
        }
    }

    #[inline(always)]
    fn encode(x: &[f32; 256], importance: Option<Importance<'_, 256>>) -> Self {
        let (mut codes, mut scales) = ([0; 256], [0.0; 16]);
        let (d, scale_codes) = match importance {
            None => {
                let found = refine_symmetric::<16, 16>(bytemuck::cast_ref(x), 4);
                scales = found.0;
                codes.copy_from_slice(found.1.as_flattened());
                let inverse = -32.0 / largest(&scales);
                match inverse.is_finite() {
                    true => (
                        1.0 / inverse,
                        each(&scales, |s| (nearest_int(inverse * s).clamp(-32, 31) + 32) as u8),
                    ),
                    false => (0.0, [0; 16]),
                }
            }
            Some(importance) => {
                let sigma2 = 2.0 * sum_of_squares(x) / 256.0;
                let mut sums = [0.0; 16];
                let groups = x.as_chunks::<16>().0.iter().zip(codes.as_chunks_mut::<16>().0).zip(&mut scales);
                let importance = importance.values.as_chunks::<16>().0.iter().zip(&mut sums);
                for (((x, codes), scale), (importance, sum)) in groups.zip(importance) {
                    let weights = weights(x, importance, sigma2);
                    *sum = weights.iter().sum();
                    (*scale, *codes) = search_symmetric(x, &weights, 4.0);
                }
                search_symmetric(&scales, &sums, 32.0)
            }
        };
        let d = F16::from_f32(d);
        let groups = x.as_chunks().0.iter().zip(codes.as_chunks_mut().0);
        for ((x, codes), scale) in groups.zip(scale_codes) {
            round_to_scale(x, d.to_f32() * (f32::from(scale) - 32.0), 4, codes);
        }
        let hmask = pack::<1, 256, 32>(&each(&codes, |code| code >> 2));
        Self { hmask, qs: packed(&codes), scales: packed_scales(&scale_codes), d }
    }

    fn is_finite(&self) -> bool {
        self.d.is_finite()
    }
}

/// The inverse of [`BlockQ3K::scales`], of scales with 32 added.
#[inline(always)]
fn packed_scales(scales: &[u8; 16]) -> [u8; 12] {
    let mut packed = [0; 12];
    let (low, high) = packed.split_at_mut(8);
    low.copy_from_slice(&pack::<4, 16, 8>(scales));
    high.copy_from_slice(&pack::<2, 16, 4>(&each(scales, |scale| scale >> 4)));
    packed
}
