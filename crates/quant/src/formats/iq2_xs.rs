//! `IQ2_XS`: eight values at a time from a codebook of 512, with signs and a 4-bit scale for each 16.

use bytemuck::{Pod, Zeroable};

use crate::block::{Block, F16, Importance, U16};
use crate::formats::iq2_xxs::signed;
use crate::pack::nibble_pairs;
use crate::search::codebook;
use crate::search::magnitudes::{CodebookSearch, Found, Group, Refine, odd_scales, split_even_signs};
use crate::search::{GROUP_MAX_EPS, largest_positive, sum_of_squares, weights};
use crate::tables::{EVEN_SIGNS, IQ2XS_GRID};

/// 256 values `d * (0.5 + scale) / 4 * magnitude * sign`.
///
/// ```text
/// byte 0  2              66        74
///      |d |qs[32]         |scales[8]|    eight e: qs[e], scale nibble e / 2 % 2 of scales[e / 4]
/// qs[e]: low 9 bits the codebook index, high 7 the `EVEN_SIGNS` index
/// ```
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct BlockIq2Xs {
    pub d: F16,
    pub qs: [U16; 32],
    pub scales: [u8; 8],
}

const SEARCH: CodebookSearch = CodebookSearch { n_levels: 3, n_steps: 9, step: 0.1, refine: Refine::Inexact };

impl Block<256> for BlockIq2Xs {
    const NEEDS_IMPORTANCE: bool = true;

    fn decode(&self, out: &mut [f32; 256]) {
        let d = self.d.to_f32();
        for (e, (out, q)) in out.as_chunks_mut().0.iter_mut().zip(self.qs).enumerate() {
            let scale = self.scales[e / 4] >> (e / 2 % 2 * 4) & 15;
            let scale = d * (0.5 + f32::from(scale)) * 0.25;
            let index = usize::from(q.get() & 511);
            let signs = EVEN_SIGNS[usize::from(q.get() >> 9)];
            *out = signed(IQ2XS_GRID[index].to_le_bytes(), signs, scale);
        }
    }

    #[inline(always)]
    fn encode(x: &[f32; 256], importance: Option<Importance<'_, 256>>) -> Self {
        let Some(importance) = importance else { return Self::zeroed() };
        let sigma2 = sum_of_squares(x) / 256.0;
        let mut scales = [0.0; 16];
        let mut block = Self::zeroed();
        let groups = x.as_chunks::<16>().0.iter().zip(importance.groups::<16>());
        for ((x, importance), (scale, qs)) in
            groups.zip(scales.iter_mut().zip(block.qs.as_chunks_mut::<2>().0))
        {
            let weights = weights(x, importance, sigma2);
            let (x, mut signs) = split_even_signs::<16, 2>(x, &weights);
            let max = largest_positive(&x);
            if max < GROUP_MAX_EPS {
                continue;
            }
            let mut found: Found<2> =
                SEARCH.run(codebook::iq2_xs(), Group { x: &x, weights: &weights }, max, max / 5.0);
            found.make_positive(|| signs = signs.map(|mask| !mask & 127));
            *scale = found.scale;
            *qs = std::array::from_fn(|k| U16::new(found.indexes[k] | u16::from(signs[k]) << 9));
        }
        let Some((d, codes)) = odd_scales(&scales, 15) else { return Self::zeroed() };
        Self { d: F16::from_f32(d), scales: nibble_pairs(&codes), ..block }
    }

    fn is_finite(&self) -> bool {
        self.d.is_finite()
    }
}
