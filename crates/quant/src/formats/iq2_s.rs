//! `IQ2_S`: eight values at a time from a codebook of 1024, with signs and a 4-bit scale for each 16.

use bytemuck::{Pod, Zeroable};

use crate::block::{Block, F16, Importance};
use crate::formats::iq2_xxs::signed;
use crate::pack::nibble_pairs;
use crate::search::codebook;
use crate::search::magnitudes::{CodebookSearch, Found, Group, Refine, odd_scales, split_signs};
use crate::search::{largest_positive, sum_of_squares, weights};
use crate::tables::IQ2S_GRID;
use crate::vectorized::each;

/// 256 values `d * (0.5 + scale) / 4 * magnitude * sign`.
///
/// ```text
/// byte 0  2       34         66    74         82
///      |d |qs[32] |signs[32] |qh[8]|scales[8] |
/// eight e: index qs[e] and, above it, bits 2 * (e % 4) of qh[e / 4]; sign mask signs[e];
///          scale nibble e / 2 % 2 of scales[e / 4]
/// ```
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct BlockIq2S {
    pub d: F16,
    /// The low bits of the codebook indexes.
    pub qs: [u8; 32],
    pub signs: [u8; 32],
    pub qh: [u8; 8],
    pub scales: [u8; 8],
}

const SEARCH: CodebookSearch = CodebookSearch { n_levels: 3, n_steps: 9, step: 0.1, refine: Refine::Inexact };

/// Groups whose largest magnitude is below this count as zero.
const EPS: f32 = 1e-8;

impl Block<256> for BlockIq2S {
    fn decode(&self, out: &mut [f32; 256]) {
        let d = self.d.to_f32();
        for (e, out) in out.as_chunks_mut().0.iter_mut().enumerate() {
            let scale = self.scales[e / 4] >> (e / 2 % 2 * 4) & 15;
            let scale = d * (0.5 + f32::from(scale)) * 0.25;
            let high = self.qh[e / 4] >> (e % 4 * 2) & 3;
            let index = usize::from(self.qs[e]) | usize::from(high) << 8;
            *out = signed(IQ2S_GRID[index].to_le_bytes(), self.signs[e], scale);
        }
    }

    #[inline(always)]
    fn encode(x: &[f32; 256], importance: Option<Importance<'_, 256>>) -> Self {
        let sigma2 = 2.0 * sum_of_squares(x) / 256.0;
        let mut scales = [0.0; 16];
        let mut block = Self::zeroed();
        for (g, (x, scale)) in x.as_chunks::<16>().0.iter().zip(&mut scales).enumerate() {
            let weights = match importance {
                Some(importance) => weights(x, &importance.groups()[g], sigma2),
                None => each(x, |x| 0.25 * sigma2 + x * x),
            };
            let (x, mut signs) = split_signs::<16, 2>(x);
            let max = largest_positive(&x);
            if max < EPS {
                continue;
            }
            let mut found: Found<2> =
                SEARCH.run(codebook::iq2_s(), Group { x: &x, weights: &weights }, max, max / 5.0);
            found.make_positive(|| signs = signs.map(|mask| !mask));
            *scale = found.scale;
            for (k, (index, signs)) in found.indexes.into_iter().zip(signs).enumerate() {
                let e = 2 * g + k;
                block.qs[e] = index as u8;
                block.qh[e / 4] |= ((index >> 8) as u8) << (2 * (e % 4));
                block.signs[e] = signs;
            }
        }
        let Some((d, codes)) = odd_scales(&scales, 15) else { return Self::zeroed() };
        Self { d: F16::from_f32(d * 0.9875), scales: nibble_pairs(&codes), ..block }
    }

    fn is_finite(&self) -> bool {
        self.d.is_finite()
    }
}
