//! `IQ3_S`: four values at a time from a codebook of 512, with signs and a 4-bit scale for each 32.

use bytemuck::{Pod, Zeroable};

use crate::block::{Block, F16, Importance};
use crate::formats::iq2_xxs::signed;
use crate::formats::iq3_xxs::pair;
use crate::pack::nibble_pairs;
use crate::search::codebook;
use crate::search::magnitudes::{CodebookSearch, Found, Group, Refine, odd_scales, split_signs};
use crate::search::{largest_positive, sum_of_squares, weights_or_squares};
use crate::tables::IQ3S_GRID;

/// 256 values `d * (1 + 2 * scale) * magnitude * sign`.
///
/// ```text
/// byte 0  2       66    74         106        110
///      |d |qs[64] |qh[8]|signs[32] |scales[4] |
/// four f: index qs[f] and, above it, bit f % 8 of qh[f / 8]; eight e: sign mask signs[e];
/// group g of 32 values: scale nibble g % 2 of scales[g / 2]
/// ```
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct BlockIq3S {
    pub d: F16,
    pub qs: [u8; 64],
    pub qh: [u8; 8],
    pub signs: [u8; 32],
    pub scales: [u8; 4],
}

const SEARCH: CodebookSearch =
    CodebookSearch { n_levels: 8, n_steps: 9, step: 0.2, refine: Refine::UnlessExact };

impl Block<256> for BlockIq3S {
    fn decode(&self, out: &mut [f32; 256]) {
        let d = self.d.to_f32();
        let eights = out.as_chunks_mut().0.iter_mut().zip(self.qs.as_chunks::<2>().0);
        for (e, (out, &[first, second])) in eights.enumerate() {
            let scale = self.scales[e / 8] >> (e / 4 % 2 * 4) & 15;
            let scale = d * f32::from(1 + 2 * scale);
            let high = usize::from(self.qh[e / 4]) >> (e % 4 * 2);
            let first = IQ3S_GRID[usize::from(first) | (high & 1) << 8];
            let second = IQ3S_GRID[usize::from(second) | (high >> 1 & 1) << 8];
            *out = signed(pair(first, second), self.signs[e], scale);
        }
    }

    #[inline(always)]
    fn encode(x: &[f32; 256], importance: Option<Importance<'_, 256>>) -> Self {
        let sigma2 = 2.0 * sum_of_squares(x) / 256.0;
        let mut scales = [0.0; 8];
        let mut block = Self::zeroed();
        let mut place = 0;
        for (g, (x, scale)) in x.as_chunks::<32>().0.iter().zip(&mut scales).enumerate() {
            let weights = weights_or_squares(x, importance.map(|importance| &importance.groups()[g]), sigma2);
            let (x, mut signs) = split_signs::<32, 4>(x);
            let max = largest_positive(&x);
            if max == 0.0 {
                continue;
            }
            let mut found: Found<8> =
                SEARCH.run(codebook::iq3_s(), Group { x: &x, weights: &weights }, max, max / 15.0);
            found.make_positive(|| signs = signs.map(|mask| !mask));
            *scale = found.scale;
            block.qs.as_chunks_mut().0[place] = found.indexes.map(|index| index as u8);
            block.qh[g] = (0..8).fold(0, |high, k| high | ((found.indexes[k] >> 8) as u8) << k);
            block.signs.as_chunks_mut().0[place] = signs;
            place += 1;
        }
        let Some((d, codes)) = odd_scales(&scales, 15) else { return Self::zeroed() };
        Self { d: F16::from_f32(d * 1.033), scales: nibble_pairs(&codes), ..block }
    }

    fn is_finite(&self) -> bool {
        self.d.is_finite()
    }
}
