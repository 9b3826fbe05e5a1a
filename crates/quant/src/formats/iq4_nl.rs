//! `IQ4_NL`: four bits a value, codes of unevenly spaced levels.

use bytemuck::{Pod, Zeroable};

use crate::block::{Block, F16, Importance};
use crate::pack::{pack, unpack};
use crate::search::{GROUP_MAX_EPS, LANES, Lanes, inverse, largest, sum_of_squares, weights_or_squares};
use crate::tables::IQ4_LEVELS;
use crate::vectorized::each;

/// 32 values `d * IQ4_LEVELS[q]`.
///
/// ```text
/// byte 0  2              18
///      |d |qs[16]         |    qs[j]: low nibble value j, high nibble value j + 16
/// ```
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct BlockIq4Nl {
    pub d: F16,
    pub qs: [u8; 16],
}

impl Block<32> for BlockIq4Nl {
    fn decode(&self, out: &mut [f32; 32]) {
        let d = self.d.to_f32();
        *out = unpack::<4, 16, 32>(&self.qs).map(|q| d * f32::from(IQ4_LEVELS[usize::from(q)]));
    }

    #[inline(always)]
    fn encode(x: &[f32; 32], importance: Option<Importance<'_, 32>>) -> Self {
        let sigma2 = sum_of_squares(x) * (2.0 / 32.0);
        let d =
            search_scale(x, &weights_or_squares(x, importance.map(|importance| importance.values), sigma2));
        let inverse = inverse(d);
        Self { d: F16::from_f32(d), qs: pack::<4, 32, 16>(&each(x, |x| nearest_level(inverse * x))) }
    }

    fn is_finite(&self) -> bool {
        self.d.is_finite()
    }
}

/// Where one level becomes the next, halfway between them.
const BORDERS: [f32; 15] = {
    let mut borders = [0.0; 15];
    let mut i = 0;
    while i < 15 {
        borders[i] = (IQ4_LEVELS[i] as f32 + IQ4_LEVELS[i + 1] as f32) / 2.0;
        i += 1;
    }
    borders
};

/// The code of the level closest to `x`; of two equally close the higher.
#[inline(always)]
pub(super) fn nearest_level(x: f32) -> u8 {
    BORDERS.iter().map(|&border| u8::from(x >= border)).sum()
}

/// The scale of a group: the best of 16 around those that map the largest magnitude to the lowest or highest
/// level, each followed by its least-squares correction.
#[inline(always)]
pub(super) fn search_scale(x: &[f32; 32], weights: &[f32; 32]) -> f32 {
    let max = largest(x);
    if max.abs() < GROUP_MAX_EPS {
        return 0.0;
    }
    let lowest = f32::from(IQ4_LEVELS[0]);
    let (mut best_scale, mut best_score) = (0.0, 0.0);
    for first in [true, false] {
        let steps: Lanes = std::array::from_fn(|lane| lane as f32 - if first { 8.0 } else { 0.0 });
        let mut inverses = steps.map(|step| (step + lowest) / max);
        if first {
            inverses[0] = 1.0 / (-max / lowest);
        }
        let (sum_qx, sum_q2) = sums(x, weights, &inverses);
        for lane in 0..LANES {
            let (qx, q2) = (sum_qx[lane], sum_q2[lane]);
            let better = if first && lane == 0 { q2 > 0.0 } else { q2 > 0.0 && qx * qx > best_score * q2 };
            if better {
                best_scale = qx / q2;
                best_score = best_scale * qx;
            }
        }
    }
    best_scale
}

/// Of each candidate scale: the weighted sums of `level * x` and `level^2`.
#[inline(always)]
fn sums(x: &[f32; 32], weights: &[f32; 32], inverses: &Lanes) -> (Lanes, Lanes) {
    let (mut sum_qx, mut sum_q2) = ([0.0; LANES], [0.0; LANES]);
    for (&x, &w) in x.iter().zip(weights) {
        let mut levels = [f32::from(IQ4_LEVELS[0]); LANES];
        for (border, pair) in BORDERS.iter().zip(IQ4_LEVELS.windows(2)) {
            let step = f32::from(pair[1]) - f32::from(pair[0]);
            for lane in 0..LANES {
                levels[lane] += if inverses[lane] * x >= *border { step } else { 0.0 };
            }
        }
        for lane in 0..LANES {
            sum_qx[lane] += w * levels[lane] * x;
            sum_q2[lane] += w * levels[lane] * levels[lane];
        }
    }
    (sum_qx, sum_q2)
}
