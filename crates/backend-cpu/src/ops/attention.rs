//! Streaming-softmax attention of the query heads that share one key-value head, over the blocks of one sequence.

use backend::BLOCK_TOKENS;
use quant::DType;
use tensor::{Attention, Mask};

use crate::kernels::Kernels;
use crate::memory::{MOST_ROTATED, VectorShape};

/// Running softmax of one query head.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Running {
    max: f32,
    sum: f32,
}

impl Running {
    /// With a sink, a score that is spent on nothing.
    pub(crate) fn new(sink: Option<f32>) -> Self {
        sink.map_or(Self { max: f32::NEG_INFINITY, sum: 0.0 }, |max| Self { max, sum: 1.0 })
    }

    /// Takes scores in, turning them into weights; returns what earlier sums must be multiplied by.
    pub(crate) fn update(&mut self, scores: &mut [f32]) -> f32 {
        let max = scores.iter().copied().fold(self.max, f32::max);
        if max == f32::NEG_INFINITY {
            scores.fill(0.0);
            return 1.0;
        }
        let rescale = (self.max - max).exp();
        let mut sum = 0.0;
        for s in scores {
            *s = (*s - max).exp();
            sum += *s;
        }
        self.sum = self.sum * rescale + sum;
        self.max = max;
        rescale
    }

    /// What the accumulated values are multiplied by at the end.
    pub(crate) fn scale(&self) -> f32 {
        if self.sum > 0.0 { 1.0 / self.sum } else { 0.0 }
    }

    /// The greatest score, and the sum of weights relative to its.
    pub(crate) fn totals(&self) -> (f32, f32) {
        (self.max, self.sum)
    }
}

/// Tokens that the token at `position` of `n_total` sees.
pub(crate) fn visible(mask: Mask, position: usize, n_total: usize) -> std::ops::Range<usize> {
    let causal = (position + 1).min(n_total);
    match mask {
        Mask::All => 0..n_total,
        Mask::Causal => 0..causal,
        Mask::Window(n) => causal.saturating_sub(n)..causal,
        Mask::Chunk(n) => position / n.max(1) * n.max(1)..causal,
        Mask::Symmetric(n) => position.saturating_sub(n / 2)..(position + n / 2 + 1).min(n_total),
    }
}

/// What is added to or done with a raw score.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scoring<'a> {
    pub(crate) attention: &'a Attention,
    pub(crate) position: usize,
    /// ALiBi's slope of the head; 0 without.
    pub(crate) slope: f32,
    /// `[n_head, n_bucket]` and the head.
    pub(crate) relative: Option<(&'a [f32], usize, usize)>,
}

impl Scoring<'_> {
    pub(crate) fn apply(&self, first: usize, scores: &mut [f32]) {
        let scale = self.attention.scale;
        for s in scores.iter_mut() {
            *s *= scale;
        }
        if let Some(c) = self.attention.softcap {
            for s in scores.iter_mut() {
                *s = c * (*s / c).tanh();
            }
        }
        self.bias(first, scores);
    }

    /// The part that depends on the distance.
    pub(crate) fn bias(&self, first: usize, scores: &mut [f32]) {
        if self.slope != 0.0 {
            for (i, s) in scores.iter_mut().enumerate() {
                *s -= self.slope * (first + i).abs_diff(self.position) as f32;
            }
        }
        if let (Some((table, n_head, head)), Some(bias)) = (self.relative, self.attention.relative_bias) {
            for (i, s) in scores.iter_mut().enumerate() {
                let distance = (first + i) as i64 - self.position as i64;
                *s += table[bucket(distance, bias.n_bucket, bias.bidirectional) * n_head + head];
            }
        }
    }
}

/// T5's bucket of a distance (key minus query): exact when near, logarithmic up to 128, then one for all.
pub(crate) fn bucket(distance: i64, n_bucket: usize, bidirectional: bool) -> usize {
    const MAX_DISTANCE: f32 = 128.0;
    let (n, base) = match (bidirectional, distance > 0) {
        (true, true) => (n_bucket / 2, n_bucket / 2),
        (true, false) => (n_bucket / 2, 0),
        (false, _) => (n_bucket, 0),
    };
    let distance = if bidirectional { distance.unsigned_abs() } else { (-distance).max(0) as u64 } as usize;
    let exact = n / 2;
    if distance < exact {
        return base + distance;
    }
    let (d, e) = (distance as f32, exact as f32);
    let far = e + (d / e).ln() * (n - exact) as f32 / (MAX_DISTANCE / e).ln();
    base + (far.floor() as usize).min(n - 1)
}

/// ALiBi's slope of a head (Press et al. 2021), also for head counts that are no power of two.
pub(crate) fn alibi_slope(head: usize, n_head: usize, max_bias: f32) -> f32 {
    let power = if n_head.is_power_of_two() { n_head } else { n_head.next_power_of_two() / 2 };
    if head < power {
        2f32.powf(-max_bias / power as f32 * (head + 1) as f32)
    } else {
        2f32.powf(-max_bias / 2.0 / power as f32 * (2 * (head - power) + 1) as f32)
    }
}

/// `scores[t] = q . k[t]` for consecutive stored keys. `buffer` has room for a key.
pub(crate) fn dot_keys(q: &[f32], keys: &[u8], shape: &VectorShape, buffer: &mut [f32], scores: &mut [f32]) {
    debug_assert!(scores.len() <= BLOCK_TOKENS);
    let key = &mut buffer[..q.len()];
    for (score, stored) in scores.iter_mut().zip(keys.chunks_exact(shape.n_bytes)) {
        load(stored, shape, key);
        *score = q.iter().zip(&*key).map(|(q, k)| q * k).sum();
    }
}

/// `acc += weights[t] * v[t]` over consecutive stored values. `buffer` has room for a value.
pub(crate) fn add_values(
    weights: &[f32],
    values: &[u8],
    stride: usize,
    shape: &VectorShape,
    buffer: &mut [f32],
    acc: &mut [f32],
) {
    let value = &mut buffer[..acc.len()];
    for (weight, stored) in weights.iter().zip(values.chunks(stride)) {
        load(stored, shape, value);
        for (acc, v) in acc.iter_mut().zip(&*value) {
            *acc += weight * v;
        }
    }
}

/// Reads a vector of its stored type.
fn load(stored: &[u8], shape: &VectorShape, out: &mut [f32]) {
    let row_bytes = shape.dtype.row_bytes(out.len()).expect("checked when the memory was made");
    quant::decode(shape.dtype, &stored[..row_bytes], out).expect("a row of its own size");
}

/// Writes a vector in its stored type. What no block can hold, as NaN, makes the whole vector NaN.
pub(crate) fn store(kernels: Kernels, x: &[f32], shape: &VectorShape, out: &mut [u8]) {
    let row_bytes = shape.dtype.row_bytes(x.len()).expect("checked when the memory was made");
    let out = &mut out[..row_bytes];
    if shape.dtype == DType::F16 && !kernels.is_scalar() {
        kernels.narrow_f16(x, out);
    } else if shape.rotation > 0 {
        let n = shape.rotation;
        let mut buffer = [0.0; MOST_ROTATED];
        let part_bytes = row_bytes / (x.len() / n);
        let mut is_held = true;
        for (x, out) in x.chunks_exact(n).zip(out.chunks_exact_mut(part_bytes)) {
            let rotated = &mut buffer[..n];
            rotated.copy_from_slice(x);
            rotate(rotated, n);
            is_held &= quant::encode(shape.dtype, rotated, n, None, out).is_ok();
        }
        if !is_held {
            out.fill(NAN);
        }
    } else if quant::encode(shape.dtype, x, x.len(), None, out).is_err() {
        out.fill(NAN);
    }
}

/// The bits of a scale that is NaN, in every type.
const NAN: u8 = 0xff;

/// Multiplies each `n` elements, a power of two, by the orthonormal Walsh-Hadamard matrix, which is its own inverse;
/// leaves them if `n` is 0. It spreads what stands out of a vector over all of it, so that quantizing loses less; products
/// of vectors stay the same.
pub(crate) fn rotate(x: &mut [f32], n: usize) {
    if n == 0 {
        return;
    }
    let scale = 1.0 / (n as f32).sqrt();
    for x in x.chunks_exact_mut(n) {
        let mut half = 1;
        while half < n {
            for pair in x.chunks_exact_mut(2 * half) {
                let (low, high) = pair.split_at_mut(half);
                for (low, high) in low.iter_mut().zip(high) {
                    (*low, *high) = (*low + *high, *low - *high);
                }
            }
            half *= 2;
        }
        x.iter_mut().for_each(|x| *x *= scale);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_see_what_they_say() {
        let cases = [
            (Mask::All, 3, 10, 0..10),
            (Mask::Causal, 3, 10, 0..4),
            (Mask::Window(3), 5, 10, 3..6),
            (Mask::Window(3), 1, 10, 0..2),
            (Mask::Chunk(4), 5, 10, 4..6),
            (Mask::Symmetric(4), 5, 7, 3..7),
        ];
        for (mask, position, n_total, want) in cases {
            assert_eq!(visible(mask, position, n_total), want, "{mask:?} at {position} of {n_total}");
        }
    }

    #[test]
    fn rotations_undo_themselves_and_keep_products() {
        let vector = |step: f32| (0..128).map(|i| (i as f32 * step).sin()).collect::<Vec<f32>>();
        let (x, y) = (vector(0.7), vector(1.3));
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum::<f64>();
        let (mut rotated_x, mut rotated_y) = (x.clone(), y.clone());
        rotate(&mut rotated_x, 64);
        rotate(&mut rotated_y, 64);
        assert!((dot(&x, &y) - dot(&rotated_x, &rotated_y)).abs() < 1e-5 && rotated_x != x);
        // The first row of the matrix is the same everywhere.
        assert!((rotated_x[64] - x[64..].iter().sum::<f32>() / 8.0).abs() < 1e-6);
        rotate(&mut rotated_x, 64);
        assert!(x.iter().zip(&rotated_x).all(|(x, y)| (x - y).abs() < 1e-6));
    }

    #[test]
    fn what_is_stored_rotated_is_found_again() {
        // One element stands out, which without rotation takes the precision of its block.
        let x: Vec<f32> = (0..128).map(|i| if i == 3 { 20.0 } else { (i as f32).sin() }).collect();
        let error = |rotation| {
            let shape = VectorShape { dtype: DType::Q4_0, n_bytes: 72, rotation };
            let (mut stored, mut found) = ([0; 72], [0.0; 128]);
            store(Kernels::best(), &x, &shape, &mut stored);
            load(&stored, &shape, &mut found);
            rotate(&mut found, rotation);
            x.iter().zip(found).map(|(x, y)| (x - y) * (x - y)).sum::<f32>() / 128.0
        };
        let (plain, rotated) = (error(0), error(128));
        assert!(rotated < plain / 2.0, "{rotated} {plain}");
    }

    #[test]
    fn buckets_are_t5s() {
        let cases = [(0, true, 0), (-1, true, 1), (1, true, 17), (-200, true, 15), (200, true, 31)];
        for (distance, bidirectional, want) in cases {
            assert_eq!(bucket(distance, 32, bidirectional), want, "{distance}");
        }
        assert_eq!([0, -1, -15, -16, -127, -500, 3].map(|d| bucket(d, 32, false)), [0, 1, 15, 16, 31, 31, 0]);
    }

    #[test]
    fn slopes_halve_for_powers_of_two() {
        assert_eq!([0, 1, 7].map(|h| alibi_slope(h, 8, 8.0)), [0.5, 0.25, 1.0 / 256.0]);
        assert!((alibi_slope(4, 6, 8.0) - 0.5).abs() < 1e-6);
    }
}
