//! `TQ1_0`: ternary values, five to a byte in base 3 (for BitNet b1.58 and TriLM models).

use bytemuck::{Pod, Zeroable};

use crate::block::{Block, F16, Importance};
use crate::search::{inverse, largest_magnitude, round_half_away};

/// 256 values `(trit - 1) * d`.
///
/// ```text
/// byte 0              48   52  54
///      |qs[48]         |qh  |d  |
/// qs[0..32]:  trit n is value 32 * n + m of qs[m]          (160 values)
/// qs[32..48]: trit n is value 160 + 16 * n + m of qs[32 + m] (80 values)
/// qh[0..4]:   trit n is value 240 + 4 * n + m of qh[m]      (16 values, four to a byte)
/// A byte holds ceil(t * 256 / 243), t being five trits, the first the most significant: trit n is the integer part
/// of 3 * fraction(byte * 3^n / 256).
/// ```
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct BlockTq1_0 {
    pub qs: [u8; 48],
    pub qh: [u8; 4],
    pub d: F16,
}

impl Block<256> for BlockTq1_0 {
    fn decode(&self, out: &mut [f32; 256]) {
        let d = self.d.to_f32();
        let (first, out) = out.split_at_mut(160);
        let (second, third) = out.split_at_mut(80);
        for (bytes, out) in [(&self.qs[..32], first), (&self.qs[32..], second), (&self.qh[..], third)] {
            for (out, power) in out.chunks_exact_mut(bytes.len()).zip([1, 3, 9, 27, 81]) {
                for (out, byte) in out.iter_mut().zip(bytes) {
                    let trit = (u16::from(byte.wrapping_mul(power)) * 3) >> 8;
                    *out = (f32::from(trit) - 1.0) * d;
                }
            }
        }
    }

    #[inline(always)]
    fn encode(x: &[f32; 256], _: Option<Importance<'_, 256>>) -> Self {
        let d = largest_magnitude(x);
        let inverse = inverse(d);
        let trit = |x: f32| (round_half_away(x * inverse) + 1) as u16;
        let mut block = Self { qs: [0; 48], qh: [0; 4], d: F16::from_f32(d) };
        let (first, rest) = x.split_at(160);
        let (second, third) = rest.split_at(80);
        let (qs_first, qs_second) = block.qs.split_at_mut(32);
        for (bytes, x) in [(qs_first, first), (qs_second, second), (&mut block.qh[..], third)] {
            let stride = bytes.len();
            for (m, byte) in bytes.iter_mut().enumerate() {
                let trits = (0..5).map(|n| x.get(m + n * stride).map_or(0, |&x| trit(x)));
                let number = trits.fold(0, |number, trit| 3 * number + trit);
                *byte = (number * 256).div_ceil(243) as u8;
            }
        }
        block
    }

    fn is_finite(&self) -> bool {
        self.d.is_finite()
    }
}
