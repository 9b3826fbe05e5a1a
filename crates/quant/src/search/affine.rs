//! Groups of `x = scale * code - min` with codes from 0 to `n_max` and `min >= 0`.

use super::{LANES, Lanes, inverse, limit, nearest, nearest_int, range, truncated};
use crate::vectorized::each;

/// What an error `e` costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loss {
    /// `|e|`
    Absolute,
    /// `e^2`
    Square,
}

/// Which scales are tried: those that spread the values over `n_max + first`, `n_max + first + step`, ... codes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AffineSearch {
    pub(crate) n_max: f32,
    pub(crate) first: f32,
    pub(crate) step: f32,
    /// Steps after the first.
    pub(crate) n_steps: usize,
    pub(crate) loss: Loss,
}

/// What was found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Affine<const N: usize> {
    pub(crate) scale: f32,
    pub(crate) min: f32,
    pub(crate) codes: [u8; N],
}

/// Scale, offset and codes of `x = scale * code + offset` that map the range of values to all codes, without search.
#[inline(always)]
pub(crate) fn round_affine<const N: usize>(x: &[f32; N], n_max: f32) -> (f32, f32, [u8; N]) {
    let (min, max) = range(x);
    let d = (max - min) / n_max;
    let inverse = inverse(d);
    (d, min, each(x, |x| truncated((x - min) * inverse + 0.5).clamp(0, n_max as i32) as u8))
}

/// A group, and its sums that do not depend on the codes.
struct Group<'a, const N: usize> {
    x: &'a [f32; N],
    weights: &'a [f32; N],
    sum_w: f32,
    sum_x: f32,
}

/// How codes are made: `nearest(inverse * (x - min))`.
#[derive(Debug, Clone, Copy)]
struct Rounding {
    inverse: f32,
    min: f32,
}

impl AffineSearch {
    /// With importance every format searches the same range.
    pub(crate) const fn weighted(n_max: f32) -> Self {
        Self { n_max, first: -0.9, step: 0.05, n_steps: 36, loss: Loss::Square }
    }

    /// Finds scale, minimum and codes. Each candidate is followed by its least-squares correction; a corrected
    /// minimum that is an improvement is what the candidates after it start from.
    #[inline(always)]
    pub(crate) fn run<const N: usize>(&self, x: &[f32; N], weights: &[f32; N]) -> Affine<N> {
        let (mut min, mut max) = (x[0], x[0]);
        let (mut sum_w, mut sum_x) = (0.0, 0.0);
        for (&x, &w) in x.iter().zip(weights) {
            min = if x < min { x } else { min };
            max = if x > max { x } else { max };
            sum_w += w;
            sum_x += w * x;
        }
        let mut min = if min > 0.0 { 0.0 } else { min };
        if max <= min {
            return Affine { scale: 0.0, min: -min, codes: [0; N] };
        }
        let group = Group { x, weights, sum_w, sum_x };
        let mut rounding = Rounding { inverse: self.n_max / (max - min), min };
        let mut scale = 1.0 / rounding.inverse;
        let mut best_error = self.error(&group, rounding, scale);
        let mut next = 0;
        while next <= self.n_steps {
            let steps: Lanes = std::array::from_fn(|lane| (next + lane) as f32);
            let inverses = steps.map(|step| (self.first + self.step * step + self.n_max) / (max - min));
            let (scales, mins, errors) = self.candidates(&group, &inverses, min);
            let n = LANES.min(self.n_steps + 1 - next);
            let Some(lane) = errors[..n].iter().position(|&error| error < best_error) else {
                next += n;
                continue;
            };
            rounding = Rounding { inverse: inverses[lane], min };
            (scale, min, best_error) = (scales[lane], mins[lane], errors[lane]);
            next += lane + 1;
        }
        Affine { scale, min: -min, codes: each(x, |x| nearest_int(self.code(rounding, x)) as u8) }
    }

    /// The error of a scale without correction.
    #[inline(always)]
    fn error<const N: usize>(&self, group: &Group<'_, N>, rounding: Rounding, scale: f32) -> f32 {
        group.x.iter().zip(group.weights).fold(0.0, |error, (&x, &w)| {
            error + w * self.cost(scale * self.code(rounding, x) + rounding.min - x)
        })
    }

    /// Corrected scale, corrected minimum and error of each candidate; the error of one without solution is
    /// infinite.
    #[inline(always)]
    fn candidates<const N: usize>(
        &self,
        group: &Group<'_, N>,
        inverses: &Lanes,
        min: f32,
    ) -> (Lanes, Lanes, Lanes) {
        let mut codes = [[0.0; LANES]; N];
        let (mut sum_l, mut sum_l2, mut sum_xl) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
        for ((codes, &x), &w) in codes.iter_mut().zip(group.x).zip(group.weights) {
            for lane in 0..LANES {
                let l = self.code(Rounding { inverse: inverses[lane], min }, x);
                codes[lane] = l;
                sum_l[lane] += w * l;
                sum_l2[lane] += w * l * l;
                sum_xl[lane] += w * l * x;
            }
        }
        let (mut scales, mut mins, mut solvable) = ([0.0; LANES], [0.0; LANES], [false; LANES]);
        for lane in 0..LANES {
            let (l, l2, xl) = (sum_l[lane], sum_l2[lane], sum_xl[lane]);
            let determinant = group.sum_w * l2 - l * l;
            solvable[lane] = determinant > 0.0;
            scales[lane] = (group.sum_w * xl - group.sum_x * l) / determinant;
            mins[lane] = (l2 * group.sum_x - l * xl) / determinant;
            if mins[lane] > 0.0 {
                (scales[lane], mins[lane]) = (xl / l2, 0.0);
            }
        }
        let mut errors = [0.0; LANES];
        for ((codes, &x), &w) in codes.iter().zip(group.x).zip(group.weights) {
            for lane in 0..LANES {
                errors[lane] += w * self.cost(scales[lane] * codes[lane] + mins[lane] - x);
            }
        }
        for lane in 0..LANES {
            errors[lane] = if solvable[lane] { errors[lane] } else { f32::INFINITY };
        }
        (scales, mins, errors)
    }

    #[inline(always)]
    fn code(&self, rounding: Rounding, x: f32) -> f32 {
        limit(nearest(rounding.inverse * (x - rounding.min)), 0.0, self.n_max)
    }

    #[inline(always)]
    fn cost(&self, error: f32) -> f32 {
        match self.loss {
            Loss::Absolute => error.abs(),
            Loss::Square => error * error,
        }
    }
}
