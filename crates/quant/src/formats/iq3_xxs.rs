//! `IQ3_XXS`: four values at a time from a codebook of 256, with signs and a 4-bit scale for each 32.

use bytemuck::{Pod, Zeroable};

use crate::block::{Block, F16, Importance};
use crate::formats::iq2_xxs::signed;
use crate::search::codebook;
use crate::search::magnitudes::{CodebookSearch, Found, Group, Refine, odd_scales, split_even_signs};
use crate::search::{largest_positive, sum_of_squares, weights_or_squares};
use crate::tables::{EVEN_SIGNS, IQ3XXS_GRID};

/// 256 values `d * (0.5 + scale) / 2 * magnitude * sign`.
///
/// ```text
/// byte 0  2       66                 98
///      |d |qs[64] |scales_signs[8]    |
/// qs[f]: codebook index of four f
/// scales_signs[g], a u32 of group g of 32 values: bits 7 * k are the `EVEN_SIGNS` index of eight k, bits 28.. the scale
/// ```
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct BlockIq3Xxs {
    pub d: F16,
    pub qs: [u8; 64],
    pub scales_signs: [[u8; 4]; 8],
}

const SEARCH: CodebookSearch =
    CodebookSearch { n_levels: 8, n_steps: 15, step: 0.2, refine: Refine::Inexact };

/// Groups whose largest magnitude is below this count as zero.
const EPS: f32 = 1e-8;

impl Block<256> for BlockIq3Xxs {
    fn decode(&self, out: &mut [f32; 256]) {
        let d = self.d.to_f32();
        let eights = out.as_chunks_mut().0.iter_mut().zip(self.qs.as_chunks::<2>().0);
        for (e, (out, &[first, second])) in eights.enumerate() {
            let word = u32::from_le_bytes(self.scales_signs[e / 4]);
            let scale = d * (0.5 + (word >> 28) as f32) * 0.5;
            let signs = EVEN_SIGNS[(word >> (e % 4 * 7) & 127) as usize];
            let magnitudes = pair(IQ3XXS_GRID[usize::from(first)], IQ3XXS_GRID[usize::from(second)]);
            *out = signed(magnitudes, signs, scale);
        }
    }

    #[inline(always)]
    fn encode(x: &[f32; 256], importance: Option<Importance<'_, 256>>) -> Self {
        let sigma2 = 2.0 * sum_of_squares(x) / 256.0;
        let mut scales = [0.0; 8];
        let mut block = Self::zeroed();
        let groups = x.as_chunks::<32>().0.iter().zip(block.qs.as_chunks_mut::<8>().0).enumerate();
        for (g, (x, qs)) in groups {
            let weights = weights_or_squares(x, importance.map(|importance| &importance.groups()[g]), sigma2);
            let (x, mut signs) = split_even_signs::<32, 4>(x, &weights);
            let max = largest_positive(&x);
            if max < EPS {
                continue;
            }
            let mut found: Found<8> =
                SEARCH.run(codebook::iq3_xxs(), Group { x: &x, weights: &weights }, max, max / 15.0);
            found.make_positive(|| signs = signs.map(|mask| !mask & 127));
            scales[g] = found.scale;
            *qs = found.indexes.map(|index| index as u8);
            let word = (0..4).fold(0, |word, k| word | u32::from(signs[k]) << (7 * k));
            block.scales_signs[g] = word.to_le_bytes();
        }
        let Some((d, codes)) = odd_scales(&scales, 15) else { return Self::zeroed() };
        block.d = F16::from_f32(d * 1.0125);
        for (word, code) in block.scales_signs.iter_mut().zip(codes) {
            word[3] |= code << 4;
        }
        block
    }

    fn is_finite(&self) -> bool {
        self.d.is_finite()
    }
}

/// The eight magnitudes of two codebook entries.
pub(super) fn pair(first: u32, second: u32) -> [u8; 8] {
    (u64::from(first) | u64::from(second) << 32).to_le_bytes()
}
