//! `IQ2_XXS`: eight values at a time from a codebook of 256, with signs and a 4-bit scale for each 32.

use bytemuck::{Pod, Zeroable};

use crate::block::{Block, F16, Importance};
use crate::search::codebook;
use crate::search::magnitudes::{CodebookSearch, Found, Group, Refine, odd_scales, split_even_signs};
use crate::search::{GROUP_MAX_EPS, largest_positive, search_positive, sum_of_squares, weights};
use crate::tables::{EVEN_SIGNS, IQ2XXS_GRID};

/// 256 values `d * (0.5 + scale) / 4 * magnitude * sign`.
///
/// ```text
/// byte 0  2              66
///      |d |qs[8][8]       |    group g of 32 values: qs[g]
/// qs[g]: 4 bytes, the codebook index of each 8 values; then a u32: bits 7 * k are the `EVEN_SIGNS` index of
///        eight k, bits 28.. the scale
/// ```
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct BlockIq2Xxs {
    pub d: F16,
    pub qs: [[u8; 8]; 8],
}

const SEARCH: CodebookSearch = CodebookSearch { n_levels: 3, n_steps: 6, step: 0.1, refine: Refine::Always };

impl Block<256> for BlockIq2Xxs {
    const NEEDS_IMPORTANCE: bool = true;

    fn decode(&self, out: &mut [f32; 256]) {
        let d = self.d.to_f32();
        for (out, qs) in out.as_chunks_mut::<32>().0.iter_mut().zip(&self.qs) {
            let [indexes @ .., w0, w1, w2, w3] = *qs;
            let word = u32::from_le_bytes([w0, w1, w2, w3]);
            let scale = d * (0.5 + (word >> 28) as f32) * 0.25;
            for (k, (out, index)) in out.as_chunks_mut().0.iter_mut().zip(indexes).enumerate() {
                let signs = EVEN_SIGNS[(word >> (7 * k) & 127) as usize];
                *out = signed(IQ2XXS_GRID[usize::from(index)].to_le_bytes(), signs, scale);
            }
        }
    }

    #[inline(always)]
    fn encode(x: &[f32; 256], importance: Option<Importance<'_, 256>>) -> Self {
        let Some(importance) = importance else { return Self::zeroed() };
        let sigma2 = sum_of_squares(x) / 256.0;
        let mut scales = [0.0; 8];
        let mut block = Self::zeroed();
        let groups = x.as_chunks::<32>().0.iter().zip(importance.groups::<32>());
        for ((x, importance), (scale, qs)) in groups.zip(scales.iter_mut().zip(&mut block.qs)) {
            let weights = weights(x, importance, sigma2);
            let (x, mut signs) = split_even_signs::<32, 4>(x, &weights);
            if largest_positive(&x) < GROUP_MAX_EPS {
                continue;
            }
            let base = search_positive(&x, &weights, 4).0 * 3.0;
            if base <= 0.0 {
                continue;
            }
            let group = Group { x: &x, weights: &weights };
            let mut found: Found<4> = SEARCH.run(codebook::iq2_xxs(), group, base, base / 3.0);
            found.make_positive(|| signs = signs.map(|mask| !mask & 127));
            *scale = found.scale;
            let word = (0..4).fold(0, |word, k| word | u32::from(signs[k]) << (7 * k));
            let [i0, i1, i2, i3] = found.indexes.map(|index| index as u8);
            let [w0, w1, w2, w3] = word.to_le_bytes();
            *qs = [i0, i1, i2, i3, w0, w1, w2, w3];
        }
        let Some((d, codes)) = odd_scales(&scales, 15) else { return Self::zeroed() };
        block.d = F16::from_f32(d);
        for (qs, code) in block.qs.iter_mut().zip(codes) {
            qs[7] |= code << 4;
        }
        block
    }

    fn is_finite(&self) -> bool {
        self.d.is_finite()
    }
}

/// `scale` times eight magnitudes, negative where `signs` has a bit.
pub(super) fn signed(magnitudes: [u8; 8], signs: u8, scale: f32) -> [f32; 8] {
    std::array::from_fn(|i| {
        let value = scale * f32::from(magnitudes[i]);
        if signs >> i & 1 == 1 { -value } else { value }
    })
}
