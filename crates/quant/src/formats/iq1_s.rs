//! `IQ1_S`: eight values at a time from a codebook of 2048, with a shift and a 3-bit scale for each 32.

use bytemuck::{Pod, Zeroable};

use crate::block::{Block, F16, Importance, U16};
use crate::search::magnitudes::odd_scales;
use crate::search::ternary::{SHIFTED, Split, order};
use crate::search::{largest_magnitude, sum_of_squares, weights};
use crate::tables::{IQ1_DELTA, IQ1S_GRID};

/// 256 values `d * (2 * scale + 1) * (entry ± IQ1_DELTA)`.
///
/// ```text
/// byte 0  2       34      50
///      |d |qs[32] |qh[8]   |    eight e: index qs[e] and, above it, bits 3 * (e % 4) of qh[e / 4]
/// qh[g], of group g of 32 values: bits 12..15 the scale; bit 15 set: the shift is negative
/// ```
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct BlockIq1S {
    pub d: F16,
    pub qs: [u8; 32],
    pub qh: [U16; 8],
}

/// Groups whose largest magnitude is below this count as zero.
const EPS: f32 = 1e-12;

impl Block<256> for BlockIq1S {
    const NEEDS_IMPORTANCE: bool = true;

    fn decode(&self, out: &mut [f32; 256]) {
        let d = self.d.to_f32();
        for (e, (out, low)) in out.as_chunks_mut().0.iter_mut().zip(self.qs).enumerate() {
            let qh = self.qh[e / 4].get();
            let scale = d * f32::from(2 * (qh >> 12 & 7) + 1);
            let high = usize::from(qh >> (e % 4 * 3) & 7);
            *out = shifted(usize::from(low) | high << 8, qh >> 15 == 1, scale);
        }
    }

    #[inline(always)]
    fn encode(x: &[f32; 256], importance: Option<Importance<'_, 256>>) -> Self {
        let Some(importance) = importance else { return Self::zeroed() };
        let sigma2 = 2.0 * sum_of_squares(x) / 256.0;
        let (mut scales, mut words) = ([0.0; 8], [0; 8]);
        let mut block = Self::zeroed();
        let groups =
            x.as_chunks::<32>().0.iter().zip(importance.groups()).zip(block.qs.as_chunks_mut::<4>().0);
        for (g, ((x, importance), qs)) in groups.enumerate() {
            let weights = weights(x, importance, sigma2);
            if largest_magnitude(x) < EPS {
                continue;
            }
            let Some(split) = best_split(x, &weights) else { continue };
            let (scale, indexes) = split.snap(x, &weights);
            scales[g] = scale;
            *qs = indexes.map(|index| index as u8);
            words[g] =
                (0..4).fold(u16::from(split.down[0]) << 15, |word, k| word | indexes[k] >> 8 << (3 * k));
        }
        let Some((d, codes)) = odd_scales(&scales, 7) else { return Self::zeroed() };
        block.d = F16::from_f32(d * 1.125);
        block.qh = std::array::from_fn(|g| U16::new(words[g] | u16::from(codes[g]) << 12));
        block
    }

    fn is_finite(&self) -> bool {
        self.d.is_finite()
    }
}

/// `scale` times the eight values of a codebook entry, each shifted by `IQ1_DELTA`.
pub(super) fn shifted(index: usize, negative: bool, scale: f32) -> [f32; 8] {
    let delta = if negative { -IQ1_DELTA } else { IQ1_DELTA };
    IQ1S_GRID[index].to_le_bytes().map(|value| scale * (f32::from(value as i8) + delta))
}

/// The split of the sorted values into three levels, and the shift, of least weighted square error; by trying all.
#[inline(always)]
fn best_split(x: &[f32; 32], weights: &[f32; 32]) -> Option<Split<32, 4>> {
    let order = order(x);
    let (mut sum_x, mut sum_w) = ([0.0; 33], [0.0; 33]);
    for (rank, &i) in order.iter().enumerate() {
        sum_x[rank + 1] = sum_x[rank] + weights[i] * x[i];
        sum_w[rank + 1] = sum_w[rank] + weights[i];
    }
    let mut best = None;
    let mut best_score = f32::MIN;
    for low in 0..=32 {
        for high in low..=32 {
            let part = |sum: &[f32; 33]| [sum[low], sum[high] - sum[low], sum[32] - sum[high]];
            let (part_x, part_w) = (part(&sum_x), part(&sum_w));
            for (down, q) in [false, true].into_iter().zip(SHIFTED) {
                let qx = part_x[0] * q[0] + part_x[1] * q[1] + part_x[2] * q[2];
                let q2 = part_w[0] * q[0] * q[0] + part_w[1] * q[1] * q[1] + part_w[2] * q[2] * q[2];
                if q2 > 0.0 && qx * qx > best_score * q2 {
                    best_score = qx / q2 * qx;
                    best = Some((qx / q2, down, low, high));
                }
            }
        }
    }
    best.map(|(scale, down, low, high)| Split::new(scale, [down; 4], &order, low, high))
}
