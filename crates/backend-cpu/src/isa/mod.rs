//! The instruction-set vocabulary: about fifty steps on virtual 512-bit vectors, one file per ISA.
//!
//! Kernels are written once over `I: Isa`. A value of an `Isa` type exists only after its instructions were
//! detected on this machine, so holding one is the proof that makes the intrinsics sound. Nothing here knows
//! a tensor type or a thread.

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512;
#[cfg(target_arch = "aarch64")]
pub(crate) mod neon;
pub(crate) mod panel;
pub(crate) mod scalar;

use bytemuck::Pod;

use self::panel::{PanelSpan, Ready, Tokens};
use crate::quantize::BlockQ8;

/// The instruction sets kernels are compiled for. All exist on every target, so that a choice can be named,
/// parsed and refused; which can run here is answered by [`crate::kernels::Kernels::for_isa`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Portable Rust: the definition of every kernel.
    Scalar,
    /// AVX2 with FMA and F16C (Haswell, Zen, and later).
    Avx2,
    /// AVX-512 F, BW, DQ, VL and VNNI (Ice Lake, Zen 4, and later).
    Avx512,
    /// NEON (every 64-bit Arm).
    Neon,
    /// NEON with dot products of bytes (Cortex-A76, Neoverse N1, Apple A13 and M1, and later).
    NeonDot,
    /// So with products of matrices of bytes (Neoverse V1 and N2, Cortex-X2, Apple M2, and later).
    NeonI8mm,
}

impl Kind {
    /// Every kind, of each processor the slowest first.
    pub const ALL: [Self; 6] =
        [Self::Scalar, Self::Avx2, Self::Avx512, Self::Neon, Self::NeonDot, Self::NeonI8mm];
}

/// A computation written once over every ISA.
///
/// `run` and everything it calls must be `#[inline(always)]`: only what is inlined into
/// [`Isa::vectorize`] is compiled with the ISA's instructions.
pub(crate) trait Kernel {
    type Output;
    fn run<I: Isa>(self, isa: I) -> Self::Output;
}

/// How the codes of a quantized format may be multiplied: the facts that integer kernels are specialized on.
/// A weight is `scale * (code - OFFSET) - min`.
pub(crate) trait Packing: 'static {
    /// Scales cover 16 values instead of 32.
    const HALVES: bool;
    /// Largest code. Up to 127, codes are unsigned; [`WIDE`] means signed 8-bit codes of full range.
    const MAX_CODE: i32;
    /// What codes are above the numbers they stand for.
    const OFFSET: i32;
    /// Sub-blocks have a minimum.
    const MIN: bool;
    /// The scales of 256 values are small integers times one float, which their activations have in common too.
    const STEPS: bool;
    /// Codes are signed and use all of their 8 bits.
    const IS_WIDE: bool = Self::MAX_CODE > 127;
}

/// [`Packing::MAX_CODE`] of signed codes in -128..=127.
pub(crate) const WIDE: i32 = 255;

/// The steps of each 4 lanes of [`Isa::add_dots`] for each of its places.
#[inline(always)]
fn steps_of_lanes<P: Packing, const SPLIT: bool>(steps: &[i8; 16]) -> [[i32; 4]; 4] {
    let mut lanes = [[0; 4]; 4];
    for (at, lanes) in lanes.iter_mut().enumerate() {
        for (i, lane) in lanes.iter_mut().enumerate() {
            let from = if P::HALVES || SPLIT { 4 * at + i } else { 2 * at + i / 2 };
            *lane = steps[from].into();
        }
    }
    lanes
}

/// Steps on virtual vectors of 16 `f32` or `i32` lanes, or 64 bytes.
///
/// Lane order is memory order. Methods take array references, so that bounds are settled by the caller's types.
pub(crate) trait Isa: Copy + Send + Sync + 'static {
    type F32: Copy;
    type I32: Copy;
    type Bytes: Copy;
    /// Integer scales where [`Isa::add_dots`] wants them.
    type Steps: Copy;
    /// What uses shorter registers, if this can, or this.
    type Narrow: Isa;

    /// What [`Isa::wide`] adds to signed codes.
    const WIDE_OFFSET: i32;
    /// How many vectors of 16 rows a tile multiplies at a time: 1 or 2.
    const PANEL_VECTORS: usize;

    /// Runs `kernel` compiled with this ISA's instructions.
    fn vectorize<K: Kernel>(self, kernel: K) -> K::Output;

    fn narrow(self) -> Self::Narrow;

    fn splat(self, v: f32) -> Self::F32;
    fn load(self, v: &[f32; 16]) -> Self::F32;
    fn store(self, v: Self::F32, out: &mut [f32; 16]);
    /// 8 values in the low lanes, zeros above.
    fn load_8(self, v: &[f32; 8]) -> Self::F32;
    /// 8 values, each in two neighbouring lanes.
    fn load_8_twice(self, v: &[f32; 8]) -> Self::F32;
    /// 16 little-endian IEEE half floats.
    fn load_f16(self, v: &[u8; 32]) -> Self::F32;
    fn store_f16(self, v: Self::F32, out: &mut [u8; 32]);
    /// 16 little-endian bfloat16.
    fn load_bf16(self, v: &[u8; 32]) -> Self::F32;
    /// 8 half floats, given as bits, in the low lanes, zeros above.
    fn f16_8(self, bits: [u16; 8]) -> Self::F32;
    /// The half floats that 8 blocks begin with, in the low lanes, zeros above.
    fn heads<B: Pod>(self, blocks: &[B; 8]) -> Self::F32;
    /// The two half floats that 8 blocks begin with: the first of each in the low lanes, and the second ones.
    fn head_pairs<B: Pod>(self, blocks: &[B; 8]) -> [Self::F32; 2];
    /// 16 unsigned bytes as numbers.
    fn u8_16(self, v: [u8; 16]) -> Self::F32;
    /// 16 signed bytes as numbers.
    fn i8_16(self, v: [i8; 16]) -> Self::F32;
    fn f16(self, bits: u16) -> f32;
    #[inline(always)]
    fn f16_pair(self, [a, b]: [u16; 2]) -> [f32; 2] {
        [self.f16(a), self.f16(b)]
    }

    fn add(self, a: Self::F32, b: Self::F32) -> Self::F32;
    fn sub(self, a: Self::F32, b: Self::F32) -> Self::F32;
    fn mul(self, a: Self::F32, b: Self::F32) -> Self::F32;
    fn div(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// `a * b + c`, rounded once where the machine can.
    fn fma(self, a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32;
    /// The larger; `b` where either is NaN.
    fn max(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// The smaller; `b` where either is NaN.
    fn min(self, a: Self::F32, b: Self::F32) -> Self::F32;
    fn abs(self, a: Self::F32) -> Self::F32;
    /// `then` in the lanes where `a < b`, else `otherwise`.
    fn select_less(self, a: Self::F32, b: Self::F32, then: Self::F32, otherwise: Self::F32) -> Self::F32;
    fn sum(self, a: Self::F32) -> f32;
    fn max_lane(self, a: Self::F32) -> f32;
    /// To nearest, ties to even; unspecified outside of `i32`.
    fn round(self, a: Self::F32) -> Self::I32;
    fn to_f32(self, a: Self::I32) -> Self::F32;
    /// `2^e` for `-126 <= e <= 127`.
    fn exp2_int(self, e: Self::I32) -> Self::F32;
    /// Lanes to `i8`, saturated to -127..=127.
    fn store_i8(self, a: Self::I32, out: &mut [i8; 16]);
    fn add_i32(self, a: Self::I32, b: Self::I32) -> Self::I32;
    fn splat_i32(self, v: i32) -> Self::I32;

    /// Asks for the memory `ahead` bytes behind `v`, which need not be there.
    fn prefetch(self, v: &[u8], ahead: usize);
    fn splat_bytes(self, v: u8) -> Self::Bytes;
    fn load_bytes(self, v: &[u8; 64]) -> Self::Bytes;
    fn store_bytes(self, v: Self::Bytes, out: &mut [u8; 64]);
    /// Two arrays one after the other.
    fn join_32(self, a: &[u8; 32], b: &[u8; 32]) -> Self::Bytes;
    /// Four arrays one after the other.
    fn join_16(self, v: [&[u8; 16]; 4]) -> Self::Bytes;
    /// Sixteen words one after the other.
    fn join_4(self, v: [[u32; 4]; 4]) -> Self::Bytes;
    /// Eight words one after the other.
    fn join_8(self, v: [u64; 8]) -> Self::Bytes;
    /// Of sixteen pairs of words the lower ones, where a bit is set the upper ones.
    #[inline(always)]
    fn join_halves(self, pairs: [[u64; 8]; 2], upper: [u8; 2]) -> Self::Bytes {
        let mut words = [[0; 4]; 4];
        for (k, word) in words.as_flattened_mut().iter_mut().enumerate() {
            let shift = if upper[k / 8] >> (k % 8) & 1 == 1 { 32 } else { 0 };
            *word = (pairs[k / 8][k % 8] >> shift) as u32;
        }
        self.join_4(words)
    }
    /// Twice eight numbers of six bits in the last three words `a`, `b`, `c` of `v`; anything is above them. The bytes of
    /// `a` have four numbers in their lower bits, and above those the upper bits of four others, whose lower bits are the
    /// lower halves of the bytes of `c`. So have those of `b`, with the upper halves.
    #[inline(always)]
    fn six_bits(self, v: &[u8; 16]) -> [[i8; 16]; 2] {
        let [_, a, b, c] = bytemuck::cast::<_, [[u8; 4]; 4]>(*v).map(u32::from_le_bytes);
        let eight = |low: u32, high: u32| {
            let high = high & 0x0f0f_0f0f | low >> 2 & 0x3030_3030;
            let eight = u64::from(low & 0x3f3f_3f3f) | u64::from(high) << 32;
            bytemuck::cast(u128::from(eight).to_le_bytes())
        };
        [eight(a, c), eight(b, c >> 4)]
    }
    fn and(self, a: Self::Bytes, b: Self::Bytes) -> Self::Bytes;
    fn or(self, a: Self::Bytes, b: Self::Bytes) -> Self::Bytes;
    fn xor(self, a: Self::Bytes, b: Self::Bytes) -> Self::Bytes;
    fn add_bytes(self, a: Self::Bytes, b: Self::Bytes) -> Self::Bytes;
    fn sub_bytes(self, a: Self::Bytes, b: Self::Bytes) -> Self::Bytes;
    /// Products modulo 256. Neighbours, in pairs, have the same factor.
    fn mul_bytes(self, v: Self::Bytes, factors: &[u8; 64]) -> Self::Bytes;
    /// Bits of the first 32 bytes move right by `lo`, of the last 32 by `hi`. Bits may cross from a byte into
    /// its neighbour: the caller masks.
    fn shr_by_32(self, v: Self::Bytes, lo: u32, hi: u32) -> Self::Bytes;
    /// Bits move left by `n`; the caller masks.
    fn shl(self, v: Self::Bytes, n: u32) -> Self::Bytes;
    /// Byte `i` is `value` where bit `i` is set, else 0.
    fn bits(self, bits: u64, value: u8) -> Self::Bytes;
    /// 255 where bits are set, else 0. `EVEN`: the eighth bit of each byte is chosen to make their number even.
    #[inline(always)]
    fn masks<const EVEN: bool>(self, bits: &[u8; 32]) -> [Self::Bytes; 4] {
        let mut masks = [self.splat_bytes(0); 4];
        for (mask, bits) in masks.iter_mut().zip(bits.as_chunks().0) {
            let mut bits = u64::from_le_bytes(*bits);
            if EVEN {
                let odd = bits ^ bits >> 4;
                let odd = odd ^ odd >> 2;
                let odd = odd ^ odd >> 1;
                bits ^= (odd & 0x0101_0101_0101_0101) << 7;
            }
            *mask = self.bits(bits, 255);
        }
        masks
    }
    /// 255 where an unsigned byte is at least `bound`, else 0.
    fn at_least(self, v: Self::Bytes, bound: u8) -> Self::Bytes;
    /// Byte-wise `table[index]`; indices are below 16.
    fn lookup(self, table: &[u8; 16], index: Self::Bytes) -> Self::Bytes;

    /// Signed codes as [`Isa::dot_wide`] and wide tiles want them: [`Isa::WIDE_OFFSET`] above.
    fn wide(self, codes: Self::Bytes) -> Self::Bytes;
    /// Lane `i` is the sum of the four products at `4i`: codes of at most 127 times activations.
    fn dot(self, codes: Self::Bytes, x: &[i8; 64]) -> Self::I32;
    /// As [`Isa::dot`], for codes made by [`Isa::wide`].
    fn dot_wide(self, codes: Self::Bytes, x: &[i8; 64]) -> Self::I32;
    /// The sum of two [`Isa::dot`], or [`Isa::dot_wide`].
    #[inline(always)]
    fn dot_both<P: Packing>(self, codes: [Self::Bytes; 2], x: &[[i8; 64]; 2]) -> Self::I32 {
        let dot = |i: usize| {
            if P::IS_WIDE { self.dot_wide(codes[i], &x[i]) } else { self.dot(codes[i], &x[i]) }
        };
        self.add_i32(dot(0), dot(1))
    }
    /// Spreads integer scales of each 16 values with [`Packing::HALVES`], else of each 32. `SPLIT`: units come in
    /// pairs, of which each has half of each group.
    fn steps<P: Packing, const SPLIT: bool>(self, steps: &[i8; 16]) -> Self::Steps;
    /// `acc` and the products of 64 codes and activations times the steps `at`, without what offsets add: units are
    /// counted, or pairs of units where they are split.
    fn add_dots<P: Packing>(
        self,
        acc: Self::I32,
        codes: Self::Bytes,
        x: &[i8; 64],
        steps: Self::Steps,
        at: usize,
    ) -> Self::I32;
    /// [`Isa::add_dots`] of both units of a pair.
    #[inline(always)]
    fn add_both_dots<P: Packing>(
        self,
        acc: Self::I32,
        codes: [Self::Bytes; 2],
        x: &[[i8; 64]; 2],
        steps: Self::Steps,
        at: usize,
    ) -> Self::I32 {
        let acc = self.add_dots::<P>(acc, codes[0], &x[0], steps, at);
        self.add_dots::<P>(acc, codes[1], &x[1], steps, at)
    }
    /// `acc` and `scale` times the products. Only the sum of the lanes is determined.
    fn fma_dot_16(self, a: &[i8; 16], b: &[i16; 16], scale: f32, acc: Self::F32) -> Self::F32;
    /// `acc + dots * scale`. Only the sum of the lanes is determined.
    fn fma_sum(self, dots: Self::I32, scale: f32, acc: Self::F32) -> Self::F32;
    /// `acc + dots * scale`, a scale for each 8 lanes.
    fn fma_by_8(self, dots: Self::I32, scales: &[f32; 2], acc: Self::F32) -> Self::F32;
    /// `acc + dots * scale`, a scale for each 4 lanes.
    fn fma_by_4(self, dots: Self::I32, scales: &[f32; 4], acc: Self::F32) -> Self::F32;

    /// Up to how many tokens dots are faster than tiles.
    #[inline(always)]
    fn dot_tokens<P: Packing>() -> usize {
        4
    }
    /// Whether panels keep codes of this packing as numbers of 16 bits, two vectors for each step: without their
    /// offset, and times the steps if there are any.
    #[inline(always)]
    fn has_numbers<P: Packing>() -> bool {
        false
    }
    /// How often in a row panels keep the scale of a sub-block.
    #[inline(always)]
    fn repeats<P: Packing>() -> usize {
        1
    }
    /// Four codes of 16 rows as such numbers. `steps` are [`Isa::pairs`] of the rows' steps with themselves.
    #[inline(always)]
    fn store_numbers<P: Packing>(self, _codes: Self::Bytes, _steps: Self::Bytes, _out: &mut [[u8; 64]; 2]) {
        unreachable!("this ISA keeps codes as bytes")
    }
    /// Makes of 256 activations what the tiles of this packing want.
    fn ready<P: Packing>(self, x: &BlockQ8, out: &mut Ready);
    /// Adds products of `V` vectors of 16 interleaved rows and `T` tokens, without minima, for `n_groups` groups of
    /// 32 values whose scales are floats.
    fn multiply<P: Packing, const T: usize, const V: usize>(
        self,
        spans: &[PanelSpan; V],
        x: Tokens<'_, T>,
        n_groups: usize,
        sums: &mut [[Self::F32; T]; V],
    );
    /// Products of `V` vectors of 16 interleaved rows and `T` tokens over 256 values with [`Packing::STEPS`], without
    /// units and minima.
    fn multiply_steps<P: Packing, const T: usize, const V: usize>(
        self,
        spans: &[PanelSpan; V],
        x: Tokens<'_, T>,
    ) -> [[Self::I32; T]; V];
    /// Integers of 16 bits, given as numbers, in the low and high halves of lanes.
    fn pairs(self, low: Self::F32, high: Self::F32) -> Self::Bytes;
    /// `acc` and, in each lane, the products of its halves with those of `x`.
    fn dot_pairs(self, pairs: Self::Bytes, x: [i16; 2], acc: Self::I32) -> Self::I32;
    /// Transposes a square of 32-bit lanes.
    fn transpose(self, rows: &mut [Self::F32; 16]);
    /// Orders four bytes a lane of 16 rows as [`Isa::multiply`] wants codes of them: two vectors have, in any order, what
    /// two lanes of each row had.
    #[inline(always)]
    fn interleave(self, rows: &mut [Self::F32; 16]) {
        self.transpose(rows);
    }
    /// The same bits.
    fn bytes_as_lanes(self, v: Self::Bytes) -> Self::F32;
    /// The same bits.
    fn lanes_as_bytes(self, v: Self::F32) -> Self::Bytes;
}
