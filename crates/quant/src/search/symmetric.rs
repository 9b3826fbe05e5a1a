//! Groups of `x = scale * code` with codes from `-n_max` to `n_max - 1`, stored with `n_max` added.

use super::{GROUP_MAX_EPS, LANES, Lanes, inverse, largest, limit, nearest, nearest_int, truncated};
use crate::vectorized::each;

/// Scale and stored codes that map the largest magnitude to `-n_max`, without search.
#[inline(always)]
pub(crate) fn round_symmetric<const N: usize>(x: &[f32; N], n_max: f32) -> (f32, [u8; N]) {
    let d = largest(x) / -n_max;
    let inverse = inverse(d);
    (d, each(x, |x| truncated(x * inverse + (n_max + 0.5)).clamp(0, n_max as i32 * 2 - 1) as u8))
}

/// Finds scale and stored codes by trying 19 scales around the one that maps the largest magnitude to `-n_max`,
/// each followed by its least-squares correction.
#[inline(always)]
pub(crate) fn search_symmetric<const N: usize>(
    x: &[f32; N],
    weights: &[f32; N],
    n_max: f32,
) -> (f32, [u8; N]) {
    const STEPS: [Lanes; 3] = [
        [0.0, -9.0, -8.0, -7.0, -6.0, -5.0, -4.0, -3.0],
        [-2.0, -1.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        [7.0, 8.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0],
    ];
    let max = largest(x);
    if max.abs() < GROUP_MAX_EPS {
        return (0.0, [0; N]);
    }
    let mut best_inverse = -n_max / max;
    let (mut best_scale, mut best_score) = (0.0, f32::NEG_INFINITY);
    for (chunk, steps) in STEPS.into_iter().enumerate() {
        let inverses = steps.map(|step| -(n_max + 0.1 * step) / max);
        let (sum_lx, sum_l2) = sums(x, weights, n_max, &inverses);
        for lane in 0..LANES {
            let (lx, l2) = (sum_lx[lane], sum_l2[lane]);
            if chunk == 0 && lane == 0 {
                best_scale = if l2 == 0.0 { 0.0 } else { lx / l2 };
                best_score = best_scale * lx;
            } else if l2 > 0.0 && lx * lx > best_score * l2 {
                best_inverse = inverses[lane];
                best_scale = lx / l2;
                best_score = best_scale * lx;
            }
        }
    }
    (
        best_scale,
        each(x, |x| nearest_int(limit(nearest(best_inverse * x), -n_max, n_max - 1.0) + n_max) as u8),
    )
}

/// Of each candidate scale: the weighted sums of `code * x` and `code^2`.
#[inline(always)]
fn sums<const N: usize>(x: &[f32; N], weights: &[f32; N], n_max: f32, inverses: &Lanes) -> (Lanes, Lanes) {
    let (mut sum_lx, mut sum_l2) = ([0.0; LANES], [0.0; LANES]);
    for (&x, &w) in x.iter().zip(weights) {
        for lane in 0..LANES {
            let l = limit(nearest(inverses[lane] * x), -n_max, n_max - 1.0);
            sum_lx[lane] += w * x * l;
            sum_l2[lane] += w * l * l;
        }
    }
    (sum_lx, sum_l2)
}

/// Finds scales and stored codes by moving single codes while that lowers the error, weighted by `x^2`.
///
/// A code depends on those before it, so the groups are the lanes.
#[inline(always)]
pub(crate) fn refine_symmetric<const N: usize, const G: usize>(
    groups: &[[f32; N]; G],
    n_max: i32,
) -> ([f32; G], [[u8; N]; G]) {
    let max = each(groups, |group| largest(&group));
    let (mut x, mut codes) = ([[0.0; G]; N], [[0; G]; N]);
    for (g, group) in groups.iter().enumerate() {
        for i in 0..N {
            x[i][g] = group[i];
        }
    }
    let (mut sum_lx, mut sum_l2) = ([0.0; G], [0.0; G]);
    let inverses = each(&max, |max| -n_max as f32 / max);
    for (x, codes) in x.iter().zip(&mut codes) {
        for g in 0..G {
            codes[g] = nearest_int(inverses[g] * x[g]).clamp(-n_max, n_max - 1);
            let (w, l) = (x[g] * x[g], codes[g] as f32);
            sum_lx[g] += w * x[g] * l;
            sum_l2[g] += w * l * l;
        }
    }
    for _ in 0..5 {
        let mut n_moved = 0;
        for (x, codes) in x.iter().zip(&mut codes) {
            for g in 0..G {
                let (w, l) = (x[g] * x[g], codes[g] as f32);
                let lx = sum_lx[g] - w * x[g] * l;
                let l2 = sum_l2[g] - w * l * l;
                let moved = nearest_int(x[g] * l2 / lx).clamp(-n_max, n_max - 1);
                let l = moved as f32;
                let (new_lx, new_l2) = (lx + w * x[g] * l, l2 + w * l * l);
                let is_better = new_lx * new_lx * sum_l2[g] > sum_lx[g] * sum_lx[g] * new_l2;
                let moves = (lx > 0.0) & (moved != codes[g]) & (new_l2 > 0.0) & is_better;
                codes[g] = if moves { moved } else { codes[g] };
                sum_lx[g] = if moves { new_lx } else { sum_lx[g] };
                sum_l2[g] = if moves { new_l2 } else { sum_l2[g] };
                n_moved += u32::from(moves);
            }
        }
        if n_moved == 0 {
            break;
        }
    }
    let (mut scales, mut stored) = ([0.0; G], [[0; N]; G]);
    for g in 0..G {
        if max[g].abs() >= GROUP_MAX_EPS {
            scales[g] = if sum_l2[g] > 0.0 { sum_lx[g] / sum_l2[g] } else { 0.0 };
            for i in 0..N {
                stored[g][i] = (codes[i][g] + n_max) as u8;
            }
        }
    }
    (scales, stored)
}
