//! Groups of `x = scale * code` with codes from 0 to `n_max`: the scales and minimums of a super-block.

use super::{GROUP_MAX_EPS, largest_positive, nearest_int};

/// Finds scale and codes: the best of nine scales, then single codes move while that lowers the error.
///
/// Values are expected to be positive. A negative one gets a code modulo 256.
#[inline(always)]
pub(crate) fn search_positive<const N: usize>(
    x: &[f32; N],
    weights: &[f32; N],
    n_max: i32,
) -> (f32, [u8; N]) {
    let max = largest_positive(x);
    if max < GROUP_MAX_EPS {
        return (0.0, [0; N]);
    }
    let mut inverse = n_max as f32 / max;
    let mut best_error = error(x, weights, 1.0 / inverse, |x| i32::from(nearest_int(inverse * x) as u8));
    for step in [-4.0, -3.0, -2.0, -1.0, 1.0, 2.0, 3.0, 4.0] {
        let candidate = (0.1 * step + n_max as f32) / max;
        let error = error(x, weights, 1.0 / candidate, |x| nearest_int(candidate * x).min(n_max));
        if error < best_error {
            (best_error, inverse) = (error, candidate);
        }
    }

    let mut codes = [0; N];
    let (mut sum_lx, mut sum_l2) = (0.0, 0.0);
    for ((&x, &w), code) in x.iter().zip(weights).zip(&mut codes) {
        let l = nearest_int(inverse * x).min(n_max);
        *code = l as u8;
        sum_lx += w * x * l as f32;
        sum_l2 += w * l as f32 * l as f32;
    }
    for _ in 0..5 {
        let mut changed = false;
        for ((&x, &w), code) in x.iter().zip(weights).zip(&mut codes) {
            let l = f32::from(*code);
            let (lx, l2) = (sum_lx - w * x * l, sum_l2 - w * l * l);
            if lx <= 0.0 || l2 <= 0.0 {
                continue;
            }
            let moved = nearest_int(x * l2 / lx).min(n_max);
            if moved == i32::from(*code) {
                continue;
            }
            let l = moved as f32;
            let (lx, l2) = (lx + w * x * l, l2 + w * l * l);
            if lx * lx * sum_l2 > sum_lx * sum_lx * l2 {
                (*code, sum_lx, sum_l2, changed) = (moved as u8, lx, l2, true);
            }
        }
        if !changed {
            break;
        }
    }
    (if sum_l2 > 0.0 { sum_lx / sum_l2 } else { 0.0 }, codes)
}

/// The weighted square error of a scale.
#[inline(always)]
fn error<const N: usize>(x: &[f32; N], weights: &[f32; N], scale: f32, code: impl Fn(f32) -> i32) -> f32 {
    x.iter().zip(weights).fold(0.0, |sum, (&x, &w)| {
        let diff = x - scale * code(x) as f32;
        sum + w * diff * diff
    })
}
