//! `IQ4_XS`: the levels of `IQ4_NL` in 8 groups of 32 with a 6-bit scale.

use bytemuck::{Pod, Zeroable};

use crate::block::{Block, F16, Importance, U16};
use crate::formats::iq4_nl::{nearest_level, search_scale};
use crate::pack::{pack, unpack};
use crate::search::{inverse, largest, nearest_int, sum_of_squares, weights_or_squares};
use crate::tables::IQ4_LEVELS;
use crate::vectorized::each;

/// 256 values `d * (scale - 32) * IQ4_LEVELS[q]`, scale of group `j / 32`.
///
/// ```text
/// byte 0  2        4          8              136
///      |d |scales_h|scales_l[4]|qs[128]        |
/// qs[16 * g + l]: low nibble value 32 * g + l, high nibble value 32 * g + 16 + l
/// scale g: low four bits: nibble g % 2 of scales_l[g / 2]; high two: bits 2 * g of scales_h
/// ```
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct BlockIq4Xs {
    pub d: F16,
    pub scales_h: U16,
    pub scales_l: [u8; 4],
    pub qs: [u8; 128],
}

impl BlockIq4Xs {
    /// The scale of each group, -32 to 31.
    #[must_use]
    pub fn scales(&self) -> [i8; 8] {
        std::array::from_fn(|g| {
            let low = self.scales_l[g / 2] >> (4 * (g % 2)) & 15;
            let high = (self.scales_h.get() >> (2 * g) & 3) as u8;
            (low | high << 4) as i8 - 32
        })
    }
}

impl Block<256> for BlockIq4Xs {
    fn decode(&self, out: &mut [f32; 256]) {
        let d = self.d.to_f32();
        let (groups, _) = out.as_chunks_mut::<32>();
        for ((out, qs), scale) in groups.iter_mut().zip(self.qs.as_chunks().0).zip(self.scales()) {
            let scale = d * f32::from(scale);
            *out = unpack::<4, 16, 32>(qs).map(|q| scale * f32::from(IQ4_LEVELS[usize::from(q)]));
        }
    }

    #[inline(always)]
    fn encode(x: &[f32; 256], importance: Option<Importance<'_, 256>>) -> Self {
        let sigma2 = sum_of_squares(x) * (2.0 / 256.0);
        let (groups, _) = x.as_chunks::<32>();
        let scales: [f32; 8] = std::array::from_fn(|g| {
            let importance = importance.map(|importance| &importance.groups()[g]);
            search_scale(&groups[g], &weights_or_squares(&groups[g], importance, sigma2))
        });
        let d = largest(&scales) / -32.0;
        let inverse_d = inverse(d);
        let mut block = Self { d: F16::from_f32(d), scales_h: U16::new(0), scales_l: [0; 4], qs: [0; 128] };
        let mut high = 0;
        for (g, (x, qs)) in groups.iter().zip(block.qs.as_chunks_mut().0).enumerate() {
            let scale = nearest_int(inverse_d * scales[g]).clamp(-32, 31);
            let inverse = inverse(d * scale as f32);
            *qs = pack::<4, 32, 16>(&each(x, |x| nearest_level(inverse * x)));
            let code = (scale + 32) as u8;
            block.scales_l[g / 2] |= (code & 15) << (4 * (g % 2));
            high |= u16::from(code >> 4) << (2 * g);
        }
        block.scales_h = U16::new(high);
        block
    }

    fn is_finite(&self) -> bool {
        self.d.is_finite()
    }
}
