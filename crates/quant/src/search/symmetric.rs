//! Groups of `x = scale * code` with codes from `-n_max` to `n_max - 1`, stored with `n_max` added.

use super::{GROUP_MAX_EPS, LANES, Lanes, inverse, largest, limit, nearest, nearest_int};

/// Scale and stored codes that map the largest magnitude to `-n_max`, without search.
pub(crate) fn round_symmetric<const N: usize>(x: &[f32; N], n_max: f32) -> (f32, [u8; N]) {
    let d = largest(x) / -n_max;
    let inverse = inverse(d);
    (d, x.map(|x| ((x * inverse + (n_max + 0.5)) as u8).min(n_max as u8 * 2 - 1)))
}

/// Finds scale and stored codes by trying 19 scales around the one that maps the largest magnitude to `-n_max`,
/// each followed by its least-squares correction.
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
    (best_scale, x.map(|x| (limit(nearest(best_inverse * x), -n_max, n_max - 1.0) + n_max) as u8))
}

/// Of each candidate scale: the weighted sums of `code * x` and `code^2`.
#[inline]
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

/// Finds scale and stored codes by moving single codes while that lowers the error, weighted by `x^2`.
pub(crate) fn refine_symmetric<const N: usize>(x: &[f32; N], n_max: i32) -> (f32, [u8; N]) {
    let max = largest(x);
    if max.abs() < GROUP_MAX_EPS {
        return (0.0, [0; N]);
    }
    let inverse = -n_max as f32 / max;
    let mut codes = x.map(|x| nearest_int(inverse * x).clamp(-n_max, n_max - 1));
    let (mut sum_lx, mut sum_l2) = (0.0, 0.0);
    for (&x, &l) in x.iter().zip(&codes) {
        let (w, l) = (x * x, l as f32);
        sum_lx += w * x * l;
        sum_l2 += w * l * l;
    }
    for _ in 0..5 {
        let mut changed = false;
        for (&x, code) in x.iter().zip(&mut codes) {
            let (w, l) = (x * x, *code as f32);
            let lx = sum_lx - w * x * l;
            if lx <= 0.0 {
                continue;
            }
            let l2 = sum_l2 - w * l * l;
            let moved = nearest_int(x * l2 / lx).clamp(-n_max, n_max - 1);
            if moved == *code {
                continue;
            }
            let l = moved as f32;
            let (lx, l2) = (lx + w * x * l, l2 + w * l * l);
            if l2 > 0.0 && lx * lx * sum_l2 > sum_lx * sum_lx * l2 {
                (*code, sum_lx, sum_l2, changed) = (moved, lx, l2, true);
            }
        }
        if !changed {
            break;
        }
    }
    let scale = if sum_l2 > 0.0 { sum_lx / sum_l2 } else { 0.0 };
    (scale, codes.map(|l| (l + n_max) as u8))
}
