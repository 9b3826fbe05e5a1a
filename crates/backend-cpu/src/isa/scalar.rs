//! Portable Rust: what every step of the vocabulary means. Written to be read, and for compilers to vectorize.

use bytemuck::Pod;
use half::{bf16, f16};

use super::panel::{self, PanelSpan, Ready, SubBlocks, Tokens};
use super::{Isa, Kernel, Packing, steps_of_lanes};
use crate::quantize::BlockQ8;

/// The ISA that is always there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scalar;

#[inline(always)]
fn map<const N: usize, A: Copy, B: Copy, R>(a: [A; N], b: [B; N], f: impl Fn(A, B) -> R) -> [R; N] {
    std::array::from_fn(|i| f(a[i], b[i]))
}

#[inline(always)]
fn dot<A: Copy + Into<i32>>(codes: [A; 64], x: &[i8; 64]) -> [i32; 16] {
    std::array::from_fn(|lane| (4 * lane..4 * lane + 4).map(|i| codes[i].into() * i32::from(x[i])).sum())
}

impl Isa for Scalar {
    type F32 = [f32; 16];
    type I32 = [i32; 16];
    type Bytes = [u8; 64];
    type Steps = [[i32; 4]; 4];
    type Narrow = Self;

    const WIDE_OFFSET: i32 = 0;
    const PANEL_VECTORS: usize = 1;

    #[inline(always)]
    fn vectorize<K: Kernel>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }

    #[inline(always)]
    fn narrow(self) -> Self {
        self
    }
    #[inline(always)]
    fn splat(self, v: f32) -> [f32; 16] {
        [v; 16]
    }
    #[inline(always)]
    fn load(self, v: &[f32; 16]) -> [f32; 16] {
        *v
    }
    #[inline(always)]
    fn store(self, v: [f32; 16], out: &mut [f32; 16]) {
        *out = v;
    }
    #[inline(always)]
    fn load_8(self, v: &[f32; 8]) -> [f32; 16] {
        std::array::from_fn(|i| if i < 8 { v[i] } else { 0.0 })
    }
    #[inline(always)]
    fn load_8_twice(self, v: &[f32; 8]) -> [f32; 16] {
        std::array::from_fn(|i| v[i / 2])
    }
    #[inline(always)]
    fn load_f16(self, v: &[u8; 32]) -> [f32; 16] {
        std::array::from_fn(|i| f16::from_le_bytes([v[2 * i], v[2 * i + 1]]).to_f32())
    }
    #[inline(always)]
    fn store_f16(self, v: [f32; 16], out: &mut [u8; 32]) {
        for (out, v) in out.as_chunks_mut().0.iter_mut().zip(v) {
            *out = f16::from_f32(v).to_le_bytes();
        }
    }
    #[inline(always)]
    fn load_bf16(self, v: &[u8; 32]) -> [f32; 16] {
        std::array::from_fn(|i| bf16::from_le_bytes([v[2 * i], v[2 * i + 1]]).to_f32())
    }
    #[inline(always)]
    fn f16_8(self, bits: [u16; 8]) -> [f32; 16] {
        std::array::from_fn(|i| if i < 8 { self.f16(bits[i]) } else { 0.0 })
    }
    #[inline(always)]
    fn heads<B: Pod>(self, blocks: &[B; 8]) -> [f32; 16] {
        self.head_pairs(blocks)[0]
    }
    #[inline(always)]
    fn head_pairs<B: Pod>(self, blocks: &[B; 8]) -> [[f32; 16]; 2] {
        let bits = |block: &B, at: usize| {
            let bytes = bytemuck::bytes_of(block);
            u16::from_le_bytes([bytes[at], bytes[at + 1]])
        };
        [self.f16_8(blocks.each_ref().map(|b| bits(b, 0))), self.f16_8(blocks.each_ref().map(|b| bits(b, 2)))]
    }
    #[inline(always)]
    fn u8_16(self, v: [u8; 16]) -> [f32; 16] {
        v.map(f32::from)
    }
    #[inline(always)]
    fn i8_16(self, v: [i8; 16]) -> [f32; 16] {
        v.map(f32::from)
    }
    #[inline(always)]
    fn f16(self, bits: u16) -> f32 {
        f16::from_bits(bits).to_f32()
    }

    #[inline(always)]
    fn add(self, a: [f32; 16], b: [f32; 16]) -> [f32; 16] {
        map(a, b, |a, b| a + b)
    }
    #[inline(always)]
    fn sub(self, a: [f32; 16], b: [f32; 16]) -> [f32; 16] {
        map(a, b, |a, b| a - b)
    }
    #[inline(always)]
    fn mul(self, a: [f32; 16], b: [f32; 16]) -> [f32; 16] {
        map(a, b, |a, b| a * b)
    }
    #[inline(always)]
    fn div(self, a: [f32; 16], b: [f32; 16]) -> [f32; 16] {
        map(a, b, |a, b| a / b)
    }
    #[inline(always)]
    fn fma(self, a: [f32; 16], b: [f32; 16], c: [f32; 16]) -> [f32; 16] {
        map(map(a, b, |a, b| a * b), c, |ab, c| ab + c)
    }
    #[inline(always)]
    fn max(self, a: [f32; 16], b: [f32; 16]) -> [f32; 16] {
        map(a, b, |a, b| if a > b { a } else { b })
    }
    #[inline(always)]
    fn min(self, a: [f32; 16], b: [f32; 16]) -> [f32; 16] {
        map(a, b, |a, b| if a < b { a } else { b })
    }
    #[inline(always)]
    fn abs(self, a: [f32; 16]) -> [f32; 16] {
        a.map(f32::abs)
    }
    #[inline(always)]
    fn select_less(self, a: [f32; 16], b: [f32; 16], then: [f32; 16], otherwise: [f32; 16]) -> [f32; 16] {
        std::array::from_fn(|i| if a[i] < b[i] { then[i] } else { otherwise[i] })
    }
    #[inline(always)]
    fn sum(self, a: [f32; 16]) -> f32 {
        a.iter().sum()
    }
    #[inline(always)]
    fn max_lane(self, a: [f32; 16]) -> f32 {
        a.iter().fold(f32::NEG_INFINITY, |m, &v| m.max(v))
    }
    #[inline(always)]
    fn round(self, a: [f32; 16]) -> [i32; 16] {
        a.map(|v| v.round_ties_even() as i32)
    }
    #[inline(always)]
    fn to_f32(self, a: [i32; 16]) -> [f32; 16] {
        a.map(|v| v as f32)
    }
    #[inline(always)]
    fn exp2_int(self, e: [i32; 16]) -> [f32; 16] {
        e.map(|e| f32::from_bits(((e + 127) << 23) as u32))
    }
    #[inline(always)]
    fn store_i8(self, a: [i32; 16], out: &mut [i8; 16]) {
        *out = a.map(|v| v.clamp(-127, 127) as i8);
    }
    #[inline(always)]
    fn add_i32(self, a: [i32; 16], b: [i32; 16]) -> [i32; 16] {
        map(a, b, i32::wrapping_add)
    }
    #[inline(always)]
    fn splat_i32(self, v: i32) -> [i32; 16] {
        [v; 16]
    }

    #[inline(always)]
    fn prefetch(self, _: &[u8], _: usize) {}
    #[inline(always)]
    fn splat_bytes(self, v: u8) -> [u8; 64] {
        [v; 64]
    }
    #[inline(always)]
    fn load_bytes(self, v: &[u8; 64]) -> [u8; 64] {
        *v
    }
    #[inline(always)]
    fn store_bytes(self, v: [u8; 64], out: &mut [u8; 64]) {
        *out = v;
    }
    #[inline(always)]
    fn join_32(self, a: &[u8; 32], b: &[u8; 32]) -> [u8; 64] {
        std::array::from_fn(|i| if i < 32 { a[i] } else { b[i - 32] })
    }
    #[inline(always)]
    fn join_16(self, v: [&[u8; 16]; 4]) -> [u8; 64] {
        std::array::from_fn(|i| v[i / 16][i % 16])
    }
    #[inline(always)]
    fn join_4(self, v: [[u32; 4]; 4]) -> [u8; 64] {
        bytemuck::cast(v.map(|four| four.map(u32::to_le_bytes)))
    }
    #[inline(always)]
    fn join_8(self, v: [u64; 8]) -> [u8; 64] {
        bytemuck::cast(v.map(u64::to_le_bytes))
    }
    #[inline(always)]
    fn and(self, a: [u8; 64], b: [u8; 64]) -> [u8; 64] {
        map(a, b, |a, b| a & b)
    }
    #[inline(always)]
    fn or(self, a: [u8; 64], b: [u8; 64]) -> [u8; 64] {
        map(a, b, |a, b| a | b)
    }
    #[inline(always)]
    fn xor(self, a: [u8; 64], b: [u8; 64]) -> [u8; 64] {
        map(a, b, |a, b| a ^ b)
    }
    #[inline(always)]
    fn add_bytes(self, a: [u8; 64], b: [u8; 64]) -> [u8; 64] {
        map(a, b, u8::wrapping_add)
    }
    #[inline(always)]
    fn sub_bytes(self, a: [u8; 64], b: [u8; 64]) -> [u8; 64] {
        map(a, b, u8::wrapping_sub)
    }
    #[inline(always)]
    fn mul_bytes(self, v: [u8; 64], factors: &[u8; 64]) -> [u8; 64] {
        map(v, *factors, u8::wrapping_mul)
    }
    // Bits that would cross a byte border are lost here; no caller may look at them.
    #[inline(always)]
    fn shr_by_32(self, v: [u8; 64], lo: u32, hi: u32) -> [u8; 64] {
        std::array::from_fn(|i| v[i] >> if i < 32 { lo } else { hi })
    }
    #[inline(always)]
    fn shl(self, v: [u8; 64], n: u32) -> [u8; 64] {
        v.map(|v| v << n)
    }
    #[inline(always)]
    fn bits(self, bits: u64, value: u8) -> [u8; 64] {
        std::array::from_fn(|i| if bits >> i & 1 == 1 { value } else { 0 })
    }
    #[inline(always)]
    fn at_least(self, v: [u8; 64], bound: u8) -> [u8; 64] {
        v.map(|v| if v >= bound { 255 } else { 0 })
    }
    #[inline(always)]
    fn lookup(self, table: &[u8; 16], index: [u8; 64]) -> [u8; 64] {
        index.map(|i| table[usize::from(i & 15)])
    }

    #[inline(always)]
    fn wide(self, codes: [u8; 64]) -> [u8; 64] {
        codes
    }
    #[inline(always)]
    fn dot(self, codes: [u8; 64], x: &[i8; 64]) -> [i32; 16] {
        dot(codes, x)
    }
    #[inline(always)]
    fn dot_wide(self, codes: [u8; 64], x: &[i8; 64]) -> [i32; 16] {
        dot(codes.map(u8::cast_signed), x)
    }
    #[inline(always)]
    fn steps<P: Packing, const SPLIT: bool>(self, steps: &[i8; 16]) -> [[i32; 4]; 4] {
        steps_of_lanes::<P, SPLIT>(steps)
    }
    #[inline(always)]
    fn add_dots<P: Packing>(
        self,
        acc: [i32; 16],
        codes: [u8; 64],
        x: &[i8; 64],
        steps: [[i32; 4]; 4],
        at: usize,
    ) -> [i32; 16] {
        let dots = if P::IS_WIDE { self.dot_wide(codes, x) } else { self.dot(codes, x) };
        std::array::from_fn(|i| acc[i] + dots[i] * steps[at][i / 4])
    }
    #[inline(always)]
    fn fma_dot_16(self, a: &[i8; 16], b: &[i16; 16], scale: f32, acc: [f32; 16]) -> [f32; 16] {
        self.fma_sum(map(*a, *b, |a, b| i32::from(a) * i32::from(b)), scale, acc)
    }
    #[inline(always)]
    fn fma_sum(self, dots: [i32; 16], scale: f32, acc: [f32; 16]) -> [f32; 16] {
        self.fma(self.to_f32(dots), self.splat(scale), acc)
    }
    #[inline(always)]
    fn fma_by_8(self, dots: [i32; 16], scales: &[f32; 2], acc: [f32; 16]) -> [f32; 16] {
        std::array::from_fn(|i| acc[i] + dots[i] as f32 * scales[i / 8])
    }
    #[inline(always)]
    fn fma_by_4(self, dots: [i32; 16], scales: &[f32; 4], acc: [f32; 16]) -> [f32; 16] {
        std::array::from_fn(|i| acc[i] + dots[i] as f32 * scales[i / 4])
    }

    #[inline(always)]
    fn ready<P: Packing>(self, _x: &BlockQ8, _out: &mut Ready) {}
    panel::multiply_by_sub_blocks!();
    #[inline(always)]
    fn pairs(self, low: [f32; 16], high: [f32; 16]) -> [u8; 64] {
        let pairs: [[i16; 2]; 16] = std::array::from_fn(|i| [low[i] as i16, high[i] as i16]);
        bytemuck::cast(pairs)
    }
    #[inline(always)]
    fn dot_pairs(self, pairs: [u8; 64], x: [i16; 2], acc: [i32; 16]) -> [i32; 16] {
        let [a, b] = x.map(i32::from);
        let pairs: [[i16; 2]; 16] = bytemuck::cast(pairs);
        std::array::from_fn(|i| acc[i] + a * i32::from(pairs[i][0]) + b * i32::from(pairs[i][1]))
    }
    #[inline(always)]
    fn transpose(self, rows: &mut [[f32; 16]; 16]) {
        let of = *rows;
        *rows = std::array::from_fn(|i| std::array::from_fn(|j| of[j][i]));
    }
    #[inline(always)]
    fn bytes_as_lanes(self, v: [u8; 64]) -> [f32; 16] {
        bytemuck::cast(v)
    }
    #[inline(always)]
    fn lanes_as_bytes(self, v: [f32; 16]) -> [u8; 64] {
        bytemuck::cast(v)
    }
}

impl SubBlocks for Scalar {
    #[inline(always)]
    fn dots<P: Packing, const S: usize, const T: usize, const V: usize>(
        self,
        spans: &[PanelSpan; V],
        x: Tokens<'_, T>,
        at: usize,
    ) -> [[[i32; 16]; T]; V] {
        let mut sums = [[[0; 16]; T]; V];
        for (sums, span) in sums.iter_mut().zip(spans) {
            for (sum, x) in sums.iter_mut().zip(x.x) {
                let qs: &[[i8; 4]; 64] = bytemuck::cast_ref(&x.qs);
                for (w, x) in span.codes.iter().zip(qs).skip(S * at).take(S) {
                    let x: [i8; 64] = std::array::from_fn(|i| x[i % 4]);
                    let dot = if P::IS_WIDE { self.dot_wide(*w, &x) } else { self.dot(*w, &x) };
                    *sum = self.add_i32(*sum, dot);
                }
                let halves = &x.half_sum[S * at / 4..S * (at + 1) / 4];
                let sum_x: i32 = halves.iter().map(|&sum| i32::from(sum)).sum();
                *sum = self.add_i32(*sum, [-P::OFFSET * sum_x; 16]);
            }
        }
        sums
    }
    #[inline(always)]
    fn add_times(self, sums: [i32; 16], dots: [i32; 16], steps: [u8; 64]) -> [i32; 16] {
        let steps: [[i16; 2]; 16] = bytemuck::cast(steps);
        std::array::from_fn(|i| sums[i] + dots[i] * i32::from(steps[i][0]))
    }
}
