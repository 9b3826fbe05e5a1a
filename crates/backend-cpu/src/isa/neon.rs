//! NEON, with or without its products of bytes, as dots and as squares: a virtual vector is four 128-bit registers.
#![expect(
    unsafe_code,
    reason = "instructions that are not in every NEON, made sound by the existence of a `Neon<true, _>`"
)]

use std::arch::aarch64::*;
use std::arch::{asm, is_aarch64_feature_detected};

use bytemuck::Pod;

use super::panel::{self, PanelSpan, Ready, Tokens};
use super::{Isa, Kernel, Packing, steps_of_lanes};
use crate::quantize::BlockQ8;

/// Proof that this CPU has NEON and, with `DOTPROD`, its instructions that sum the products of four bytes, with `I8MM`
/// those that multiply squares of sums of eight, of which tiles make use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Neon<const DOTPROD: bool, const I8MM: bool = false>(());

impl<const DOTPROD: bool, const I8MM: bool> Neon<DOTPROD, I8MM> {
    pub(crate) fn detect() -> Option<Self> {
        (is_aarch64_feature_detected!("neon")
            && (!DOTPROD || is_aarch64_feature_detected!("dotprod"))
            && (!I8MM || is_aarch64_feature_detected!("i8mm")))
        .then_some(Self(()))
    }
}

/// Evaluates intrinsics.
macro_rules! proven {
    ($e:expr) => {
        // SAFETY: a `Neon` exists only after `detect` saw NEON, and every target that compiles this file has it
        // anyway. No intrinsic used here touches memory.
        unsafe { $e }
    };
}

/// The register-wise application of an intrinsic.
macro_rules! each {
    ($f:ident, $a:expr) => {{
        let a = $a;
        [$f(a[0]), $f(a[1]), $f(a[2]), $f(a[3])]
    }};
    ($f:ident, $a:expr, $b:expr) => {{
        let (a, b) = ($a, $b);
        [$f(a[0], b[0]), $f(a[1], b[1]), $f(a[2], b[2]), $f(a[3], b[3])]
    }};
    ($f:ident, $a:expr, $b:expr, $c:expr) => {{
        let (a, b, c) = ($a, $b, $c);
        [$f(a[0], b[0], c[0]), $f(a[1], b[1], c[1]), $f(a[2], b[2], c[2]), $f(a[3], b[3], c[3])]
    }};
}

/// An instruction of the extension, for which the compiler has no stable intrinsic: to each lane of `$acc`, the sum
/// of four products of bytes of `$codes` and `$x`.
macro_rules! sdot {
    ($acc:expr, $codes:expr, $x:expr, $of_x:literal $(, $lane:expr)?) => {{
        let mut acc: int32x4_t = $acc;
        // SAFETY: only reached with `DOTPROD`, so the instruction was detected; it touches registers only.
        unsafe {
            asm!(
                concat!("sdot {acc:v}.4s, {codes:v}.16b, {x:v}", $of_x),
                acc = inout(vreg) acc, codes = in(vreg) $codes, x = in(vreg) $x,
                $(lane = const $lane,)?
                options(pure, nomem, nostack, preserves_flags)
            );
        }
        acc
    }};
}

// Behind the macros, which it uses.
mod tile;

/// Numbers of four half floats.
#[inline(always)]
fn widen(bits: uint16x4_t) -> float32x4_t {
    proven!(vcvt_f32_f16(vreinterpret_f16_u16(bits)))
}

#[inline(always)]
fn narrow(v: float32x4_t) -> uint16x4_t {
    proven!(vreinterpret_u16_f16(vcvt_f16_f32(v)))
}

/// Numbers of 16 bytes that were widened to words.
#[inline(always)]
fn words_to_f32([low, high]: [int16x8_t; 2]) -> [float32x4_t; 4] {
    proven!({
        let lanes = [
            vmovl_s16(vget_low_s16(low)),
            vmovl_high_s16(low),
            vmovl_s16(vget_low_s16(high)),
            vmovl_high_s16(high),
        ];
        each!(vcvtq_f32_s32, lanes)
    })
}

/// The lower halves of two registers.
#[inline(always)]
fn zip_low(a: float32x4_t, b: float32x4_t) -> float32x4_t {
    proven!(vreinterpretq_f32_f64(vzip1q_f64(vreinterpretq_f64_f32(a), vreinterpretq_f64_f32(b))))
}

/// The upper halves of two registers.
#[inline(always)]
fn zip_high(a: float32x4_t, b: float32x4_t) -> float32x4_t {
    proven!(vreinterpretq_f32_f64(vzip2q_f64(vreinterpretq_f64_f32(a), vreinterpretq_f64_f32(b))))
}

#[inline(always)]
fn transpose_4([a, b, c, d]: [float32x4_t; 4]) -> [float32x4_t; 4] {
    proven!({
        let (ab, ab_odd) = (vtrn1q_f32(a, b), vtrn2q_f32(a, b));
        let (cd, cd_odd) = (vtrn1q_f32(c, d), vtrn2q_f32(c, d));
        [zip_low(ab, cd), zip_low(ab_odd, cd_odd), zip_high(ab, cd), zip_high(ab_odd, cd_odd)]
    })
}

impl<const DOTPROD: bool, const I8MM: bool> Neon<DOTPROD, I8MM> {
    /// Sums of products of four signed bytes.
    #[inline(always)]
    fn dot_16(self, codes: uint8x16_t, x: int8x16_t) -> int32x4_t {
        if DOTPROD {
            return sdot!(self.splat_i32(0)[0], codes, x, ".16b");
        }
        proven!({
            // Two products fit 16 bits, as activations are never -128.
            let codes = vreinterpretq_s8_u8(codes);
            let products = [vmull_s8(vget_low_s8(codes), vget_low_s8(x)), vmull_high_s8(codes, x)];
            vpaddlq_s16(vpaddq_s16(products[0], products[1]))
        })
    }

    /// `acc + dots * scale` in the first four lanes.
    #[inline(always)]
    fn fma_lanes(self, dots: int32x4_t, scale: f32, mut acc: [float32x4_t; 4]) -> [float32x4_t; 4] {
        acc[0] = proven!(vfmaq_n_f32(acc[0], vcvtq_f32_s32(dots), scale));
        acc
    }
}

impl<const DOTPROD: bool, const I8MM: bool> Isa for Neon<DOTPROD, I8MM> {
    type F32 = [float32x4_t; 4];
    type I32 = [int32x4_t; 4];
    type Bytes = [uint8x16_t; 4];
    type Steps = [[i32; 4]; 4];
    type Narrow = Self;

    const WIDE_OFFSET: i32 = 0;
    const PANEL_VECTORS: usize = 1;

    #[inline(always)]
    fn vectorize<K: Kernel>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "neon")]
        fn base<K: Kernel>(isa: impl Isa, kernel: K) -> K::Output {
            kernel.run(isa)
        }
        #[target_feature(enable = "neon,dotprod")]
        fn with_dots<K: Kernel>(isa: impl Isa, kernel: K) -> K::Output {
            kernel.run(isa)
        }
        #[target_feature(enable = "neon,dotprod,i8mm")]
        fn with_squares<K: Kernel>(isa: impl Isa, kernel: K) -> K::Output {
            kernel.run(isa)
        }
        // SAFETY: a `Neon` exists only after `detect` saw the features.
        unsafe {
            match (DOTPROD, I8MM) {
                (_, true) => with_squares(self, kernel),
                (true, false) => with_dots(self, kernel),
                (false, false) => base(self, kernel),
            }
        }
    }

    #[inline(always)]
    fn narrow(self) -> Self {
        self
    }
    #[inline(always)]
    fn splat(self, v: f32) -> Self::F32 {
        proven!([vdupq_n_f32(v); 4])
    }
    #[inline(always)]
    fn load(self, v: &[f32; 16]) -> Self::F32 {
        bytemuck::cast(*v)
    }
    #[inline(always)]
    fn store(self, v: Self::F32, out: &mut [f32; 16]) {
        *out = bytemuck::cast(v);
    }
    #[inline(always)]
    fn load_8(self, v: &[f32; 8]) -> Self::F32 {
        proven!({
            let [low, high] = bytemuck::cast(*v);
            [low, high, vdupq_n_f32(0.0), vdupq_n_f32(0.0)]
        })
    }
    #[inline(always)]
    fn load_8_twice(self, v: &[f32; 8]) -> Self::F32 {
        proven!({
            let [low, high] = bytemuck::cast(*v);
            [vzip1q_f32(low, low), vzip2q_f32(low, low), vzip1q_f32(high, high), vzip2q_f32(high, high)]
        })
    }
    #[inline(always)]
    fn load_f16(self, v: &[u8; 32]) -> Self::F32 {
        let v: [uint16x4_t; 4] = bytemuck::cast(*v);
        v.map(widen)
    }
    #[inline(always)]
    fn store_f16(self, v: Self::F32, out: &mut [u8; 32]) {
        *out = bytemuck::cast(v.map(narrow));
    }
    #[inline(always)]
    fn load_bf16(self, v: &[u8; 32]) -> Self::F32 {
        proven!({
            let v: [uint16x4_t; 4] = bytemuck::cast(*v);
            v.map(|v| vreinterpretq_f32_u32(vshll_n_u16::<16>(v)))
        })
    }
    #[inline(always)]
    fn f16_8(self, bits: [u16; 8]) -> Self::F32 {
        proven!({
            let [low, high] = bytemuck::cast(bits);
            [widen(low), widen(high), vdupq_n_f32(0.0), vdupq_n_f32(0.0)]
        })
    }
    #[inline(always)]
    fn heads<B: Pod>(self, blocks: &[B; 8]) -> Self::F32 {
        let mut bits = [0; 8];
        for (bits, block) in bits.iter_mut().zip(blocks) {
            *bits = u16::from_le_bytes(*bytemuck::bytes_of(block).first_chunk().expect("a head"));
        }
        self.f16_8(bits)
    }
    #[inline(always)]
    fn head_pairs<B: Pod>(self, blocks: &[B; 8]) -> [Self::F32; 2] {
        let mut words = [0_u32; 8];
        for (word, block) in words.iter_mut().zip(blocks) {
            *word = u32::from_le_bytes(*bytemuck::bytes_of(block).first_chunk().expect("a pair of heads"));
        }
        proven!({
            let [a, b]: [uint16x8_t; 2] = bytemuck::cast(words);
            [self.f16_8(bytemuck::cast(vuzp1q_u16(a, b))), self.f16_8(bytemuck::cast(vuzp2q_u16(a, b)))]
        })
    }
    #[inline(always)]
    fn u8_16(self, v: [u8; 16]) -> Self::F32 {
        proven!({
            let v: uint8x16_t = bytemuck::cast(v);
            words_to_f32([vmovl_u8(vget_low_u8(v)), vmovl_high_u8(v)].map(|v| vreinterpretq_s16_u16(v)))
        })
    }
    #[inline(always)]
    fn i8_16(self, v: [i8; 16]) -> Self::F32 {
        proven!({
            let v: int8x16_t = bytemuck::cast(v);
            words_to_f32([vmovl_s8(vget_low_s8(v)), vmovl_high_s8(v)])
        })
    }
    #[inline(always)]
    fn f16(self, bits: u16) -> f32 {
        proven!(vgetq_lane_f32::<0>(widen(vdup_n_u16(bits))))
    }

    #[inline(always)]
    fn add(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        proven!(each!(vaddq_f32, a, b))
    }
    #[inline(always)]
    fn sub(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        proven!(each!(vsubq_f32, a, b))
    }
    #[inline(always)]
    fn mul(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        proven!(each!(vmulq_f32, a, b))
    }
    #[inline(always)]
    fn div(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        proven!(each!(vdivq_f32, a, b))
    }
    #[inline(always)]
    fn fma(self, a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32 {
        proven!(each!(vfmaq_f32, c, a, b))
    }
    // Not `vmaxq`, whose result is NaN where either is, nor `vmaxnmq`, whose result is the other.
    #[inline(always)]
    fn max(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        proven!(each!(vbslq_f32, each!(vcgtq_f32, a, b), a, b))
    }
    #[inline(always)]
    fn min(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        proven!(each!(vbslq_f32, each!(vcltq_f32, a, b), a, b))
    }
    #[inline(always)]
    fn abs(self, a: Self::F32) -> Self::F32 {
        proven!(each!(vabsq_f32, a))
    }
    #[inline(always)]
    fn select_less(self, a: Self::F32, b: Self::F32, then: Self::F32, otherwise: Self::F32) -> Self::F32 {
        proven!(each!(vbslq_f32, each!(vcltq_f32, a, b), then, otherwise))
    }
    #[inline(always)]
    fn sum(self, a: Self::F32) -> f32 {
        proven!(vaddvq_f32(vaddq_f32(vaddq_f32(a[0], a[1]), vaddq_f32(a[2], a[3]))))
    }
    #[inline(always)]
    fn max_lane(self, a: Self::F32) -> f32 {
        proven!(vmaxnmvq_f32(vmaxnmq_f32(vmaxnmq_f32(a[0], a[1]), vmaxnmq_f32(a[2], a[3]))))
    }
    #[inline(always)]
    fn round(self, a: Self::F32) -> Self::I32 {
        proven!(each!(vcvtnq_s32_f32, a))
    }
    #[inline(always)]
    fn to_f32(self, a: Self::I32) -> Self::F32 {
        proven!(each!(vcvtq_f32_s32, a))
    }
    #[inline(always)]
    fn exp2_int(self, e: Self::I32) -> Self::F32 {
        proven!(self.add_i32(e, self.splat_i32(127)).map(|e| vreinterpretq_f32_s32(vshlq_n_s32::<23>(e))))
    }
    #[inline(always)]
    fn store_i8(self, a: Self::I32, out: &mut [i8; 16]) {
        proven!({
            let words = [vqmovn_high_s32(vqmovn_s32(a[0]), a[1]), vqmovn_high_s32(vqmovn_s32(a[2]), a[3])];
            let bytes = vqmovn_high_s16(vqmovn_s16(words[0]), words[1]);
            *out = bytemuck::cast(vmaxq_s8(bytes, vdupq_n_s8(-127)));
        });
    }
    #[inline(always)]
    fn add_i32(self, a: Self::I32, b: Self::I32) -> Self::I32 {
        proven!(each!(vaddq_s32, a, b))
    }
    #[inline(always)]
    fn splat_i32(self, v: i32) -> Self::I32 {
        proven!([vdupq_n_s32(v); 4])
    }

    #[inline(always)]
    fn prefetch(self, v: &[u8], ahead: usize) {
        for line in (0..v.len()).step_by(64) {
            let at = v.as_ptr().wrapping_add(ahead + line);
            // SAFETY: a hint, for any address.
            unsafe { asm!("prfm pldl1keep, [{}]", in(reg) at, options(readonly, nostack, preserves_flags)) };
        }
    }
    #[inline(always)]
    fn splat_bytes(self, v: u8) -> Self::Bytes {
        proven!([vdupq_n_u8(v); 4])
    }
    #[inline(always)]
    fn load_bytes(self, v: &[u8; 64]) -> Self::Bytes {
        bytemuck::cast(*v)
    }
    #[inline(always)]
    fn store_bytes(self, v: Self::Bytes, out: &mut [u8; 64]) {
        *out = bytemuck::cast(v);
    }
    #[inline(always)]
    fn join_32(self, a: &[u8; 32], b: &[u8; 32]) -> Self::Bytes {
        bytemuck::cast([*a, *b])
    }
    #[inline(always)]
    fn join_16(self, v: [&[u8; 16]; 4]) -> Self::Bytes {
        v.map(|v| bytemuck::cast(*v))
    }
    #[inline(always)]
    fn join_4(self, v: [[u32; 4]; 4]) -> Self::Bytes {
        bytemuck::cast(v)
    }
    #[inline(always)]
    fn join_8(self, v: [u64; 8]) -> Self::Bytes {
        bytemuck::cast(v)
    }
    #[inline(always)]
    fn and(self, a: Self::Bytes, b: Self::Bytes) -> Self::Bytes {
        proven!(each!(vandq_u8, a, b))
    }
    #[inline(always)]
    fn or(self, a: Self::Bytes, b: Self::Bytes) -> Self::Bytes {
        proven!(each!(vorrq_u8, a, b))
    }
    #[inline(always)]
    fn xor(self, a: Self::Bytes, b: Self::Bytes) -> Self::Bytes {
        proven!(each!(veorq_u8, a, b))
    }
    #[inline(always)]
    fn add_bytes(self, a: Self::Bytes, b: Self::Bytes) -> Self::Bytes {
        proven!(each!(vaddq_u8, a, b))
    }
    #[inline(always)]
    fn sub_bytes(self, a: Self::Bytes, b: Self::Bytes) -> Self::Bytes {
        proven!(each!(vsubq_u8, a, b))
    }
    #[inline(always)]
    fn mul_bytes(self, v: Self::Bytes, factors: &[u8; 64]) -> Self::Bytes {
        proven!(each!(vmulq_u8, v, self.load_bytes(factors)))
    }
    // A shift to the left by a negative number goes to the right.
    #[inline(always)]
    fn shr_by_32(self, v: Self::Bytes, lo: u32, hi: u32) -> Self::Bytes {
        proven!({
            let by = [lo, lo, hi, hi].map(|n| vdupq_n_s8(-(n as i8)));
            each!(vshlq_u8, v, by)
        })
    }
    #[inline(always)]
    fn shl(self, v: Self::Bytes, n: u32) -> Self::Bytes {
        proven!(each!(vshlq_u8, v, [vdupq_n_s8(n as i8); 4]))
    }
    #[inline(always)]
    fn bits(self, bits: u64, value: u8) -> Self::Bytes {
        proven!({
            let of_byte = bytemuck::cast(0x8040_2010_0804_0201_8040_2010_0804_0201_u128.to_le_bytes());
            let bytes: [[u8; 2]; 4] = bytemuck::cast(bits.to_le_bytes());
            bytes.map(|[low, high]| {
                let spread = vcombine_u8(vdup_n_u8(low), vdup_n_u8(high));
                vandq_u8(vtstq_u8(spread, of_byte), vdupq_n_u8(value))
            })
        })
    }
    #[inline(always)]
    fn at_least(self, v: Self::Bytes, bound: u8) -> Self::Bytes {
        proven!(each!(vcgeq_u8, v, self.splat_bytes(bound)))
    }
    #[inline(always)]
    fn lookup(self, table: &[u8; 16], index: Self::Bytes) -> Self::Bytes {
        proven!(each!(vqtbl1q_u8, [bytemuck::cast(*table); 4], index))
    }

    #[inline(always)]
    fn wide(self, codes: Self::Bytes) -> Self::Bytes {
        codes
    }
    #[inline(always)]
    fn dot(self, codes: Self::Bytes, x: &[i8; 64]) -> Self::I32 {
        let x: [int8x16_t; 4] = bytemuck::cast(*x);
        [
            self.dot_16(codes[0], x[0]),
            self.dot_16(codes[1], x[1]),
            self.dot_16(codes[2], x[2]),
            self.dot_16(codes[3], x[3]),
        ]
    }
    // Codes of at most 127 are the same as signed ones.
    #[inline(always)]
    fn dot_wide(self, codes: Self::Bytes, x: &[i8; 64]) -> Self::I32 {
        self.dot(codes, x)
    }
    #[inline(always)]
    fn steps<P: Packing, const SPLIT: bool>(self, steps: &[i8; 16]) -> Self::Steps {
        steps_of_lanes::<P, SPLIT>(steps)
    }
    #[inline(always)]
    fn add_dots<P: Packing>(
        self,
        acc: Self::I32,
        codes: Self::Bytes,
        x: &[i8; 64],
        steps: Self::Steps,
        at: usize,
    ) -> Self::I32 {
        proven!(each!(vmlaq_n_s32, acc, self.dot(codes, x), steps[at]))
    }
    #[inline(always)]
    fn fma_dot_16(self, a: &[i8; 16], b: &[i16; 16], scale: f32, acc: Self::F32) -> Self::F32 {
        let dots = proven!({
            let a: int8x16_t = bytemuck::cast(*a);
            let [low, high]: [int16x8_t; 2] = bytemuck::cast(*b);
            let of_low = vmovl_s8(vget_low_s8(a));
            let of_high = vmovl_high_s8(a);
            let sums = vmlal_high_s16(vmull_s16(vget_low_s16(of_low), vget_low_s16(low)), of_low, low);
            vmlal_high_s16(vmlal_s16(sums, vget_low_s16(of_high), vget_low_s16(high)), of_high, high)
        });
        self.fma_lanes(dots, scale, acc)
    }
    #[inline(always)]
    fn fma_sum(self, [a, b, c, d]: Self::I32, scale: f32, acc: Self::F32) -> Self::F32 {
        self.fma_lanes(proven!(vaddq_s32(vaddq_s32(a, b), vaddq_s32(c, d))), scale, acc)
    }
    #[inline(always)]
    fn fma_by_8(self, dots: Self::I32, scales: &[f32; 2], acc: Self::F32) -> Self::F32 {
        proven!({
            let [low, high] = *scales;
            each!(vfmaq_n_f32, acc, self.to_f32(dots), [low, low, high, high])
        })
    }
    #[inline(always)]
    fn fma_by_4(self, dots: Self::I32, scales: &[f32; 4], acc: Self::F32) -> Self::F32 {
        proven!(each!(vfmaq_n_f32, acc, self.to_f32(dots), *scales))
    }

    #[inline(always)]
    fn ready<P: Packing>(self, x: &BlockQ8, out: &mut Ready) {
        for (i, start) in out.starts.iter_mut().enumerate() {
            let sum = if P::HALVES { x.half_sum[i] } else { x.sum[i / 2] };
            *start = -P::OFFSET * i32::from(sum);
        }
    }
    panel::multiply_by_sub_blocks!();
    #[inline(always)]
    fn pairs(self, low: Self::F32, high: Self::F32) -> Self::Bytes {
        proven!({
            let pair = |low, high| vreinterpretq_u8_s32(vsliq_n_s32::<16>(low, high));
            each!(pair, self.round(low), self.round(high))
        })
    }
    #[inline(always)]
    fn dot_pairs(self, pairs: Self::Bytes, x: [i16; 2], acc: Self::I32) -> Self::I32 {
        proven!({
            let [of_low, of_high] = x.map(i32::from);
            let add = |acc, pairs| {
                let pairs = vreinterpretq_s32_u8(pairs);
                let low = vshrq_n_s32::<16>(vshlq_n_s32::<16>(pairs));
                vmlaq_n_s32(vmlaq_n_s32(acc, low, of_low), vshrq_n_s32::<16>(pairs), of_high)
            };
            each!(add, acc, pairs)
        })
    }
    #[inline(always)]
    fn transpose(self, rows: &mut [Self::F32; 16]) {
        let of = *rows;
        for i in 0..4 {
            for j in 0..4 {
                let square =
                    transpose_4([of[4 * i][j], of[4 * i + 1][j], of[4 * i + 2][j], of[4 * i + 3][j]]);
                for (k, row) in square.into_iter().enumerate() {
                    rows[4 * j + k][i] = row;
                }
            }
        }
    }
    // Registers of 8 codes of each of two rows: first those of the lower 8 rows, then of the others.
    #[inline(always)]
    fn interleave(self, rows: &mut [Self::F32; 16]) {
        if !I8MM {
            return self.transpose(rows);
        }
        let of = *rows;
        for (pair, rows_of_pair) in of.as_chunks::<2>().0.iter().enumerate() {
            for i in 0..4 {
                let [a, b] = [rows_of_pair[0][i], rows_of_pair[1][i]];
                rows[4 * i + pair / 4][pair % 4] = zip_low(a, b);
                rows[4 * i + 2 + pair / 4][pair % 4] = zip_high(a, b);
            }
        }
    }
    #[inline(always)]
    fn bytes_as_lanes(self, v: Self::Bytes) -> Self::F32 {
        bytemuck::cast(v)
    }
    #[inline(always)]
    fn lanes_as_bytes(self, v: Self::F32) -> Self::Bytes {
        bytemuck::cast(v)
    }
}
