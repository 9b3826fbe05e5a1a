//! `IQ1_M`: eight values at a time from the codebook of `IQ1_S`, with a shift for each eight and a 3-bit scale
//! for each 16.

use bytemuck::{Pod, Zeroable};

use crate::block::{Block, F16, Importance, U16};
use crate::formats::iq1_s::shifted;
use crate::search::codebook;
use crate::search::magnitudes::odd_scales;
use crate::search::ternary::{SHIFTED, Split, order};
use crate::search::{largest_magnitude, sum_of_squares, weights_or_squares};

/// 256 values `d * (2 * scale + 1) * (entry ± IQ1_DELTA)`.
///
/// ```text
/// byte 0      32      48         56
///      |qs[32]|qh[16] |scales[4] |
/// eight e: nibble e % 2 of qh[e / 2]: low 3 bits above qs[e] make the index; bit 3 set: the shift is negative
/// scales[w]: bits 3 * s are the scale of sixteen 4 * w + s; bits 12.. are nibble w of d, a half
/// ```
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct BlockIq1M {
    pub qs: [u8; 32],
    pub qh: [u8; 16],
    pub scales: [U16; 4],
}

impl BlockIq1M {
    /// The scale of the block, which has no field of its own.
    #[must_use]
    #[inline(always)]
    pub fn d(&self) -> F16 {
        let nibbles = self.scales.iter().enumerate();
        F16::from_bits(nibbles.fold(0, |bits, (w, word)| bits | word.get() >> 12 << (4 * w)))
    }

    #[inline(always)]
    fn packed(d: F16, eights: &[Eight; 32], codes: &[u8; 16]) -> Self {
        let nibble = |eight: &Eight| (eight.index >> 8) as u8 | u8::from(eight.down) << 3;
        Self {
            qs: eights.map(|eight| eight.index as u8),
            qh: std::array::from_fn(|i| nibble(&eights[2 * i]) | nibble(&eights[2 * i + 1]) << 4),
            scales: std::array::from_fn(|w| {
                let scales = (0..4).fold(0, |word, s| word | u16::from(codes[4 * w + s]) << (3 * s));
                U16::new(scales | (d.to_bits() >> (4 * w) & 15) << 12)
            }),
        }
    }
}

/// Groups whose largest magnitude is below this count as zero.
const EPS: f32 = 1e-7;

/// The point of eight values, and whether it is shifted down.
#[derive(Debug, Clone, Copy)]
struct Eight {
    index: u16,
    down: bool,
}

impl Block<256> for BlockIq1M {
    fn decode(&self, out: &mut [f32; 256]) {
        let d = self.d().to_f32();
        for (e, (out, low)) in out.as_chunks_mut().0.iter_mut().zip(self.qs).enumerate() {
            let scale = self.scales[e / 8].get() >> (e / 2 % 4 * 3) & 7;
            let scale = d * f32::from(2 * scale + 1);
            let high = self.qh[e / 2] >> (e % 2 * 4);
            *out = shifted(usize::from(low) | usize::from(high & 7) << 8, high & 8 != 0, scale);
        }
    }

    #[inline(always)]
    fn encode(x: &[f32; 256], importance: Option<Importance<'_, 256>>) -> Self {
        let sigma2 = 2.0 * sum_of_squares(x) / 256.0;
        let (groups, _) = x.as_chunks::<16>();
        let weights: [[f32; 16]; 16] = std::array::from_fn(|g| {
            weights_or_squares(&groups[g], importance.map(|importance| &importance.groups()[g]), sigma2)
        });
        let mut scales = [0.0; 16];
        let mut eights = [Eight { index: 0, down: false }; 32];
        for (g, (x, weights)) in groups.iter().zip(&weights).enumerate() {
            if largest_magnitude(x) < EPS {
                continue;
            }
            let Some(split) = best_split(x, weights) else { continue };
            let (scale, indexes) = split.snap(x, weights);
            scales[g] = scale;
            for k in 0..2 {
                eights[2 * g + k] = Eight { index: indexes[k], down: split.down[k] };
            }
        }
        let Some((d, codes)) = odd_scales(&scales, 7) else { return Self::zeroed() };
        let d = least_squares(x, &weights, &eights, &codes).unwrap_or(d);
        Self::packed(F16::from_f32(d * 1.1125), &eights, &codes)
    }

    fn is_finite(&self) -> bool {
        self.d().is_finite()
    }
}

/// The split of the sorted values into three levels, and the shifts of both eights, of least weighted square
/// error; by trying all.
#[inline(always)]
fn best_split(x: &[f32; 16], weights: &[f32; 16]) -> Option<Split<16, 2>> {
    let order = order(x);
    // Of each eight: sums over the values of lowest rank.
    let (mut sum_x, mut sum_w) = ([[0.0; 17]; 2], [[0.0; 17]; 2]);
    for (rank, &i) in order.iter().enumerate() {
        for eight in 0..2 {
            let own = if i / 8 == eight { weights[i] } else { 0.0 };
            sum_x[eight][rank + 1] = sum_x[eight][rank] + own * x[i];
            sum_w[eight][rank + 1] = sum_w[eight][rank] + own;
        }
    }
    let mut best = None;
    let mut best_score = f32::MIN;
    for low in 0..=16 {
        for high in low..=16 {
            // Sums of q * x and q^2 by eight and shift. Levels are 1 apart, so that each border takes its sum off.
            let sums: [[(f32, f32); 2]; 2] = std::array::from_fn(|eight| {
                let (sum_x, sum_w) = (&sum_x[eight], &sum_w[eight]);
                SHIFTED.map(|q| {
                    let qx = sum_x[16] * q[2] - (sum_x[low] + sum_x[high]);
                    let q2 = sum_w[16] * q[2] * q[2]
                        + sum_w[low] * (q[0] * q[0] - q[1] * q[1])
                        + sum_w[high] * (q[1] * q[1] - q[2] * q[2]);
                    (qx, q2)
                })
            });
            for down in [[false, false], [false, true], [true, false], [true, true]] {
                let [first, second] = [0, 1].map(|eight| sums[eight][usize::from(down[eight])]);
                let (qx, q2) = (first.0 + second.0, first.1 + second.1);
                if q2 > 0.0 && qx * qx > best_score * q2 {
                    best_score = qx / q2 * qx;
                    best = Some((qx / q2, down, low, high));
                }
            }
        }
    }
    best.map(|(scale, down, low, high)| Split::new(scale, down, &order, low, high))
}

/// The scale of the block that fits best once everything else is chosen.
#[inline(always)]
fn least_squares(
    x: &[f32; 256],
    weights: &[[f32; 16]; 16],
    eights: &[Eight; 32],
    codes: &[u8; 16],
) -> Option<f32> {
    let (mut qx, mut q2) = (0.0, 0.0);
    let values = x.as_chunks::<8>().0.iter().zip(weights.as_flattened().as_chunks::<8>().0);
    for (e, (eight, (x, weights))) in eights.iter().zip(values).enumerate() {
        let shifted = &SHIFTED[usize::from(eight.down)];
        let scale = f32::from(2 * codes[e / 2] + 1);
        for ((&level, &x), &w) in codebook::iq1().point(eight.index).iter().zip(x).zip(weights) {
            let q = shifted[usize::from(level)] * scale;
            qx += w * q * x;
            q2 += w * q * q;
        }
    }
    (q2 > 0.0).then(|| qx / q2)
}
