//! Searches for the scale (and minimum) that make a group's rounded values closest to the true ones.
//!
//! Every candidate is scored with sums taken in the order of the values, in single precision, so that the result
//! is the same bytes on every machine. Candidates are independent of each other: they are the vector lanes.

mod affine;
pub(crate) mod codebook;
pub(crate) mod magnitudes;
mod positive;
mod super_block;
mod symmetric;
pub(crate) mod ternary;

pub(crate) use affine::{Affine, AffineSearch, Loss, round_affine};
pub(crate) use positive::search_positive;
pub(crate) use super_block::{AffineFormat, round_to_scale};
pub(crate) use symmetric::{refine_symmetric, round_symmetric, search_symmetric};

use crate::vectorized::each;

/// Groups whose largest magnitude is below this count as zero.
pub(crate) const GROUP_MAX_EPS: f32 = 1e-15;

/// Candidates scored side by side.
pub(crate) const LANES: usize = 8;

/// A number for each candidate.
pub(crate) type Lanes = [f32; LANES];

/// 1.5 * 2^23: a float this large has no fraction bits, so adding it rounds to an integer, ties to even.
const ROUNDER: f32 = 12_582_912.0;

/// Rounds to the nearest integer, ties to even. For magnitudes below 2^22.
#[inline(always)]
pub(crate) fn nearest(x: f32) -> f32 {
    (x + ROUNDER) - ROUNDER
}

/// [`nearest`] as an integer; modulo 2^23 beyond its range.
#[inline(always)]
pub(crate) fn nearest_int(x: f32) -> i32 {
    ((x + ROUNDER).to_bits() & 0x007F_FFFF) as i32 - 0x0040_0000
}

/// The integer part of a number from 0 to 2^22. A cast would care for NaN, and is made one value at a time.
#[inline(always)]
pub(crate) fn truncated(x: f32) -> i32 {
    nearest_int(x) - i32::from(nearest(x) > x)
}

/// Rounds to the nearest integer, ties away from zero. For magnitudes below 2^22.
#[inline(always)]
pub(crate) fn round_half_away(x: f32) -> i32 {
    const JUST_BELOW_HALF: f32 = 0.499_999_97;
    let magnitude = truncated(x.abs() + JUST_BELOW_HALF);
    if x < 0.0 { -magnitude } else { magnitude }
}

/// `x` limited to `low..=high`. Two compare-and-selects, where `f32::clamp` would care for NaN.
#[inline(always)]
pub(crate) fn limit(x: f32, low: f32, high: f32) -> f32 {
    let x = if x > low { x } else { low };
    if x < high { x } else { high }
}

/// The sum of squares.
#[inline(always)]
pub(crate) fn sum_of_squares(x: &[f32]) -> f32 {
    x.iter().fold(0.0, |sum, x| sum + x * x)
}

/// The value of largest magnitude, the first of equals; 0 of none.
#[inline(always)]
pub(crate) fn largest(x: &[f32]) -> f32 {
    let (mut positive, mut negative) = (0, 0);
    for x in x {
        positive = positive.max(x.to_bits() as i32);
        negative = negative.max((-x).to_bits() as i32);
    }
    let max = positive.max(negative);
    if positive != negative && max <= INFINITY {
        let max = f32::from_bits(max as u32);
        return if positive > negative { max } else { -max };
    }
    x.iter().fold(0.0, |max: f32, &x| if x.abs() > max.abs() { x } else { max })
}

/// The largest magnitude.
#[inline(always)]
pub(crate) fn largest_magnitude(x: &[f32]) -> f32 {
    let max = x.iter().fold(0, |max, x| max.max(x.abs().to_bits() as i32));
    f32::from_bits(max as u32)
}

/// The least and the largest value, of zeros the first.
#[inline(always)]
pub(crate) fn range<const N: usize>(x: &[f32; N]) -> (f32, f32) {
    let (mut least, mut largest) = (i32::MAX, i32::MIN);
    for x in x {
        let key = ordered(x.to_bits() as i32);
        least = least.min(key);
        largest = largest.max(key);
    }
    let [least, largest] = [least, largest].map(|key| f32::from_bits(ordered(key) as u32));
    if least == 0.0 || largest == 0.0 {
        return first_of_zeros(x, least, largest);
    }
    (least, largest)
}

/// Of the numbers only zero has two forms. Rare, and so out of the way.
#[cold]
#[inline(never)]
fn first_of_zeros(x: &[f32], least: f32, largest: f32) -> (f32, f32) {
    let first =
        |end: f32| if end == 0.0 { x.iter().copied().find(|x| *x == 0.0).unwrap_or(end) } else { end };
    (first(least), first(largest))
}

/// The bits of infinity. Those of larger numbers that are no NaN are larger, as integers: maxima of these have no order
/// that compilers must keep, so that they become vectors.
const INFINITY: i32 = f32::INFINITY.to_bits() as i32;

/// Bits of floats as integers of the same order, and back.
#[inline(always)]
fn ordered(bits: i32) -> i32 {
    bits ^ ((bits >> 31) as u32 >> 1) as i32
}

/// The largest value, or 0 if none is positive.
#[inline(always)]
pub(crate) fn largest_positive(x: &[f32]) -> f32 {
    x.iter().fold(0.0, |max, &x| if x > max { x } else { max })
}

/// The reciprocal, or 0 of 0.
#[inline(always)]
pub(crate) fn inverse(x: f32) -> f32 {
    if x == 0.0 { 0.0 } else { 1.0 / x }
}

/// What an error of each value costs: its importance, times a magnitude softened by `sigma2` so that small
/// values count too.
#[inline(always)]
pub(crate) fn weights<const N: usize>(x: &[f32; N], importance: &[f32; N], sigma2: f32) -> [f32; N] {
    let mut weights = [0.0; N];
    for i in 0..N {
        weights[i] = importance[i] * (sigma2 + x[i] * x[i]).sqrt();
    }
    weights
}

/// [`weights`], or the squares where no importance is known.
#[inline(always)]
pub(crate) fn weights_or_squares<const N: usize>(
    x: &[f32; N],
    importance: Option<&[f32; N]>,
    sigma2: f32,
) -> [f32; N] {
    match importance {
        Some(importance) => weights(x, importance, sigma2),
        None => squares(x),
    }
}

/// The squares, which are the weights where no importance is known.
#[inline(always)]
pub(crate) fn squares<const N: usize>(x: &[f32; N]) -> [f32; N] {
    each(x, |x| x * x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extremes_are_the_first_of_equals() {
        let check = |x: [f32; 4], want: (f32, f32, f32)| {
            let (least, most) = range(&x);
            let found = (largest(&x), least, most);
            let bits = |(a, b, c): (f32, f32, f32)| [a.to_bits(), b.to_bits(), c.to_bits()];
            assert_eq!(bits(found), bits(want), "{x:?}: {found:?}");
        };
        check([1.0, -2.0, 2.0, 0.0], (-2.0, -2.0, 2.0));
        check([1.0, 2.0, -2.0, 0.0], (2.0, -2.0, 2.0));
        check([-0.0, 0.0, 0.0, 0.0], (0.0, -0.0, -0.0));
        check([0.0, -0.0, 1.0, 0.5], (1.0, 0.0, 1.0));
        check([-3.0, -0.0, 0.0, -1.0], (-3.0, -3.0, -0.0));
        check([1e-42, -1e-40, 0.0, 1e-41], (-1e-40, -1e-40, 1e-41));
        assert_eq!(largest(&[1.0, f32::NAN, -3.0]).to_bits(), (-3.0f32).to_bits(), "NaN is no magnitude");
    }

    #[test]
    fn rounding_is_that_of_the_casts() {
        for i in -40_000..40_000 {
            let x = i as f32 / 256.0 + 1e-6;
            assert_eq!(round_half_away(x), x.round() as i32, "{x}");
            assert_eq!(truncated(x.abs()), x.abs() as i32, "{x}");
        }
        for x in [0.5, 1.5, 2.5, 0.499_999_97, 126.5] {
            assert_eq!([round_half_away(x), round_half_away(-x)], [x.round() as i32, (-x).round() as i32]);
        }
    }
}
