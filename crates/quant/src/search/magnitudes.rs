//! The IQ2 and IQ3 formats: magnitudes from a codebook, signs apart, a scale for each group of values.

use super::codebook::{Codebook, Target};
use super::{largest_positive, limit, nearest, nearest_int};
use crate::vectorized::each;

/// The odd numbers that levels stand for, in units of half a step of the scale.
const ODD: [f32; 8] = [1.0, 3.0, 5.0, 7.0, 9.0, 11.0, 13.0, 15.0];

/// Which parts of a group are snapped again to the best scale found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refine {
    /// All.
    Always,
    /// All, unless every part was a point of the codebook by itself.
    UnlessExact,
    /// Those that were no point of the codebook by themselves.
    Inexact,
}

/// How a format searches: the scales `base / (top + step * i)`, `i` from `-n_steps` to `n_steps`, where `top` is
/// the largest odd number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CodebookSearch {
    pub(crate) n_levels: u8,
    pub(crate) n_steps: i32,
    pub(crate) step: f32,
    pub(crate) refine: Refine,
}

/// A group of values without their signs, and what errors cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Group<'a, const N: usize> {
    pub(crate) x: &'a [f32; N],
    pub(crate) weights: &'a [f32; N],
}

/// A scale, and the codebook index of each part.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found<const PARTS: usize> {
    pub(crate) scale: f32,
    pub(crate) indexes: [u16; PARTS],
}

impl<const PARTS: usize> Found<PARTS> {
    /// Where least squares asks for a negative scale, makes it positive and has the signs flipped instead.
    #[inline(always)]
    pub(crate) fn make_positive(&mut self, flip_signs: impl FnOnce()) {
        if self.scale < 0.0 {
            self.scale = -self.scale;
            flip_signs();
        }
    }
}

impl CodebookSearch {
    /// Searches around `base`, the value that the largest level is to stand for; `scale` is the answer if no
    /// candidate is of use.
    #[inline(always)]
    pub(crate) fn run<const N: usize, const K: usize, const BITS: usize, const PARTS: usize>(
        &self,
        codebook: &Codebook<K, BITS>,
        group: Group<'_, N>,
        base: f32,
        scale: f32,
    ) -> Found<PARTS> {
        const { assert!(K * PARTS == N) };
        let roots = each(group.weights, f32::sqrt);
        let parts = || group.x.as_chunks::<K>().0.iter().zip(roots.as_chunks::<K>().0).enumerate();
        let top = f32::from(2 * self.n_levels - 1);

        let mut best = Found { scale, indexes: [0; PARTS] };
        let mut best_score = 0.0;
        let mut exact = [self.refine == Refine::Inexact; PARTS];
        let mut candidate = best.indexes;
        let mut candidate_exact = exact;
        for i in -self.n_steps..=self.n_steps {
            let inverse = (top + i as f32 * self.step) / base;
            for (p, (x, weights)) in parts() {
                let target = Target { x, weights, scale: 1.0 / inverse, values: &ODD };
                let snap = codebook.snap(&self.levels(x, inverse), &target);
                (candidate[p], candidate_exact[p]) = (snap.index, snap.exact);
            }
            let (qx, q2) = sums(codebook, group, &candidate);
            if q2 > 0.0 && qx * qx > best_score * q2 {
                best = Found { scale: qx / q2, indexes: candidate };
                best_score = best.scale * qx;
                exact = candidate_exact;
            }
        }

        if best.scale > 0.0 && (self.refine == Refine::Always || exact.contains(&false)) {
            let inverse = 1.0 / best.scale;
            for (p, (x, weights)) in parts() {
                if self.refine == Refine::Inexact && exact[p] {
                    continue;
                }
                let target = Target { x, weights, scale: best.scale, values: &ODD };
                best.indexes[p] = codebook.snap(&self.levels(x, inverse), &target).index;
            }
            let (qx, q2) = sums(codebook, group, &best.indexes);
            if q2 > 0.0 {
                best.scale = qx / q2;
            }
        }
        best
    }

    #[inline(always)]
    fn levels<const K: usize>(&self, x: &[f32; K], inverse: f32) -> [u8; K] {
        let last = f32::from(self.n_levels - 1);
        each(x, |x| nearest_int(limit(nearest(0.5 * (inverse * x - 1.0)), 0.0, last)) as u8)
    }
}

/// The weighted sums of `q * x` and `q^2`, `q` being the odd numbers of the parts' points.
#[inline(always)]
fn sums<const N: usize, const K: usize, const BITS: usize, const PARTS: usize>(
    codebook: &Codebook<K, BITS>,
    group: Group<'_, N>,
    indexes: &[u16; PARTS],
) -> (f32, f32) {
    let (mut qx, mut q2) = (0.0, 0.0);
    let parts = group.x.as_chunks::<K>().0.iter().zip(group.weights.as_chunks::<K>().0);
    for (&index, (x, weights)) in indexes.iter().zip(parts) {
        for ((&level, &x), &w) in codebook.point(index).iter().zip(x).zip(weights) {
            let q = f32::from(2 * level + 1);
            qx += w * x * q;
            q2 += w * q * q;
        }
    }
    (qx, q2)
}

/// Magnitudes and sign masks of a group.
#[inline(always)]
pub(crate) fn split_signs<const N: usize, const EIGHTS: usize>(x: &[f32; N]) -> ([f32; N], [u8; EIGHTS]) {
    const { assert!(EIGHTS * 8 == N) };
    let mut masks = [0; EIGHTS];
    for (mask, x) in masks.iter_mut().zip(x.as_chunks::<8>().0) {
        *mask = (0..8).fold(0, |mask, i| mask | u8::from(x[i] < 0.0) << i);
    }
    (each(x, |x| if x >= 0.0 { x } else { -x }), masks)
}

/// [`split_signs`] for formats that store an even number of minus signs in each eight values: where it is odd, the
/// value of least weight keeps the wrong sign, and its magnitude is negative. Returns indexes of `EVEN_SIGNS`.
#[inline(always)]
pub(crate) fn split_even_signs<const N: usize, const EIGHTS: usize>(
    x: &[f32; N],
    weights: &[f32; N],
) -> ([f32; N], [u8; EIGHTS]) {
    let (mut magnitudes, mut masks) = split_signs(x);
    let eights = magnitudes.as_chunks_mut::<8>().0.iter_mut().zip(weights.as_chunks::<8>().0);
    for (mask, (x, w)) in masks.iter_mut().zip(eights) {
        if mask.count_ones() % 2 == 1 {
            let cost = |i: usize| w[i] * x[i] * x[i];
            let least = (1..8).fold(0, |least, i| if cost(i) < cost(least) { i } else { least });
            x[least] = -x[least];
            *mask ^= 1 << least;
        }
        *mask &= 127;
    }
    (magnitudes, masks)
}

/// Odd multiples `2 * code + 1` of a common unit that stand for the scales, code 0 to `max`: the unit, and the
/// codes. `None` if all scales are 0.
#[inline(always)]
pub(crate) fn odd_scales<const G: usize>(scales: &[f32; G], max: i32) -> Option<(f32, [u8; G])> {
    let largest = largest_positive(scales);
    if largest <= 0.0 {
        return None;
    }
    let d = largest / (2 * max + 1) as f32;
    let inverse = 1.0 / d;
    Some((d, each(scales, |scale| nearest_int(0.5 * (inverse * scale - 1.0)).clamp(0, max) as u8)))
}
