//! The IQ1 formats: values -1, 0 and 1 from a codebook, shifted up or down, a scale for each group of values.

use super::codebook::{self, Target};
use crate::tables::IQ1_DELTA;

/// What the levels stand for when shifted up, and when shifted down.
pub(crate) const SHIFTED: [[f32; 3]; 2] =
    [[-1.0 + IQ1_DELTA, IQ1_DELTA, 1.0 + IQ1_DELTA], [-1.0 - IQ1_DELTA, -IQ1_DELTA, 1.0 - IQ1_DELTA]];

/// A scale, what the levels of each eight stand for, and the level of every value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Split<const N: usize, const EIGHTS: usize> {
    pub(crate) scale: f32,
    /// Of each eight: whether it is shifted down.
    pub(crate) down: [bool; EIGHTS],
    pub(crate) levels: [u8; N],
}

/// The order of the values by size, of equals by place.
#[inline(always)]
pub(crate) fn order<const N: usize>(x: &[f32; N]) -> [usize; N] {
    let mut order = std::array::from_fn(|i| i);
    order.sort_unstable_by(|&a, &b| {
        x[a].partial_cmp(&x[b]).unwrap_or(std::cmp::Ordering::Equal).then(a.cmp(&b))
    });
    order
}

impl<const N: usize, const EIGHTS: usize> Split<N, EIGHTS> {
    /// The split that gives the first `low` values in `order` level 0, those from `high` on level 2; a negative
    /// scale turns into a positive one of the opposite levels.
    pub(crate) fn new(scale: f32, down: [bool; EIGHTS], order: &[usize; N], low: usize, high: usize) -> Self {
        let mut levels = [0; N];
        for (rank, &i) in order.iter().enumerate() {
            levels[i] = u8::from(rank >= low) + u8::from(rank >= high);
        }
        if scale < 0.0 {
            return Self {
                scale: -scale,
                down: down.map(|down| !down),
                levels: levels.map(|level| 2 - level),
            };
        }
        Self { scale, down, levels }
    }

    /// Moves the levels to points of the codebook: their indexes, and the scale that then fits best.
    #[inline(always)]
    pub(crate) fn snap(&self, x: &[f32; N], weights: &[f32; N]) -> (f32, [u16; EIGHTS]) {
        let codebook = codebook::iq1();
        let mut indexes = [0; EIGHTS];
        let mut all_exact = true;
        let (mut qx, mut q2) = (0.0, 0.0);
        let eights = x.as_chunks::<8>().0.iter().zip(weights.as_chunks::<8>().0);
        for (k, ((x, weights), levels)) in eights.zip(self.levels.as_chunks::<8>().0).enumerate() {
            let values = &SHIFTED[usize::from(self.down[k])];
            let snap = codebook.snap(levels, &Target { x, weights, scale: self.scale, values });
            indexes[k] = snap.index;
            all_exact &= snap.exact;
            for ((&level, &x), &w) in codebook.point(snap.index).iter().zip(x).zip(weights) {
                let q = values[usize::from(level)];
                qx += w * q * x;
                q2 += w * q * q;
            }
        }
        let scale = if !all_exact && qx > 0.0 && q2 > 0.0 { qx / q2 } else { self.scale };
        (scale, indexes)
    }
}
