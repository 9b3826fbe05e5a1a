//! AVX2 with FMA and F16C: a virtual vector is a pair of 256-bit registers.
#![expect(unsafe_code, reason = "intrinsics, made sound by the existence of an `Avx2`")]

use std::arch::{asm, x86_64::*};

use bytemuck::Pod;

use super::panel::{PanelSpan, Ready, Tokens};
use super::{Isa, Kernel, Packing};
use crate::quantize::BlockQ8;

mod tile;

/// Proof that this CPU has AVX2, FMA and F16C; with `VNNI` AVX-512 VL and VNNI too, of which dots make use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx2<const VNNI: bool = false>(());

impl<const VNNI: bool> Avx2<VNNI> {
    pub(crate) fn detect() -> Option<Self> {
        (is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma")
            && is_x86_feature_detected!("f16c")
            && (!VNNI || is_x86_feature_detected!("avx512vl") && is_x86_feature_detected!("avx512vnni")))
        .then_some(Self(()))
    }
}

/// Evaluates intrinsics in a method of `Avx2`.
macro_rules! proven {
    ($e:expr) => {
        // SAFETY: an `Avx2` exists only after `detect` saw avx2, fma and f16c, and what `VNNI` says; loads and stores
        // go through references to arrays of at least the size that the instruction touches.
        unsafe { $e }
    };
}

/// `acc` and the products of words, in pairs. Spelled out because compilers make two instructions of the intrinsic, for
/// processors other than those that have it.
#[target_feature(enable = "avx512vl,avx512vnni")]
#[inline]
fn add_products(mut acc: __m256i, a: __m256i, b: __m256i) -> __m256i {
    // SAFETY: the instruction is there and changes one register, which it names.
    unsafe {
        asm!(
            "vpdpwssd {acc}, {a}, {b}",
            acc = inout(ymm_reg) acc, a = in(ymm_reg) a, b = in(ymm_reg) b,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
    acc
}

/// The register-wise application of an intrinsic to pairs.
macro_rules! pairwise {
    ($f:ident, $a:expr) => {
        proven!([$f($a[0]), $f($a[1])])
    };
    ($f:ident, $a:expr, $b:expr) => {
        proven!([$f($a[0], $b[0]), $f($a[1], $b[1])])
    };
}

impl<const VNNI: bool> Avx2<VNNI> {
    /// What tiles are made for.
    #[inline(always)]
    fn plain(self) -> Avx2 {
        Avx2(())
    }
    #[inline(always)]
    fn load_16(self, v: &[u8; 16]) -> __m128i {
        proven!(_mm_loadu_si128(v.as_ptr().cast()))
    }
    #[inline(always)]
    fn load_32(self, v: &[u8; 32]) -> __m256i {
        proven!(_mm256_loadu_si256(v.as_ptr().cast()))
    }
    #[inline(always)]
    fn shr(self, v: __m256i, n: u32) -> __m256i {
        proven!(_mm256_srl_epi16(v, _mm_cvtsi32_si128(n.cast_signed())))
    }
    #[inline(always)]
    fn halves(self, x: &[i8; 64]) -> [__m256i; 2] {
        self.load_bytes(bytemuck::cast_ref(x))
    }
    /// Bytes of `value` where the bits are set.
    #[inline(always)]
    fn bits_32(self, bits: u32, value: u8) -> __m256i {
        proven!({
            let select =
                _mm256_setr_epi64x(0, 0x0101_0101_0101_0101, 0x0202_0202_0202_0202, 0x0303_0303_0303_0303);
            let of_byte = _mm256_set1_epi64x(0x8040_2010_0804_0201_u64.cast_signed());
            let spread = _mm256_shuffle_epi8(_mm256_set1_epi32(bits.cast_signed()), select);
            let set = _mm256_cmpeq_epi8(_mm256_and_si256(spread, of_byte), of_byte);
            _mm256_and_si256(set, _mm256_set1_epi8(value.cast_signed()))
        })
    }
    /// Sums of products of two signed bytes.
    #[inline(always)]
    fn dot_signed(self, codes: __m256i, x: __m256i) -> __m256i {
        // |code| is at most 128 as an unsigned byte and |x| at most 127, so no 16-bit sum saturates.
        proven!(_mm256_maddubs_epi16(_mm256_abs_epi8(codes), _mm256_sign_epi8(x, codes)))
    }
    /// Sums of two products.
    #[inline(always)]
    fn pairs_of_products<P: Packing>(self, codes: [__m256i; 2], x: &[i8; 64]) -> [__m256i; 2] {
        let x = self.halves(x);
        if P::IS_WIDE {
            return [self.dot_signed(codes[0], x[0]), self.dot_signed(codes[1], x[1])];
        }
        pairwise!(_mm256_maddubs_epi16, codes, x)
    }
    #[inline(always)]
    fn transpose_8(self, r: [__m256; 8]) -> [__m256; 8] {
        proven!({
            let lo = |a, b| _mm256_unpacklo_ps(a, b);
            let hi = |a, b| _mm256_unpackhi_ps(a, b);
            let [a, b] = [[lo(r[0], r[1]), hi(r[0], r[1])], [lo(r[2], r[3]), hi(r[2], r[3])]];
            let [c, d] = [[lo(r[4], r[5]), hi(r[4], r[5])], [lo(r[6], r[7]), hi(r[6], r[7])]];
            let even = |a, b| _mm256_shuffle_ps::<0x44>(a, b);
            let odd = |a, b| _mm256_shuffle_ps::<0xee>(a, b);
            let top = [even(a[0], b[0]), odd(a[0], b[0]), even(a[1], b[1]), odd(a[1], b[1])];
            let bottom = [even(c[0], d[0]), odd(c[0], d[0]), even(c[1], d[1]), odd(c[1], d[1])];
            let left = |i: usize| _mm256_permute2f128_ps::<0x20>(top[i], bottom[i]);
            let right = |i: usize| _mm256_permute2f128_ps::<0x31>(top[i], bottom[i]);
            [left(0), left(1), left(2), left(3), right(0), right(1), right(2), right(3)]
        })
    }
}

/// Bytes with their eighth bit flipped where the number of bits is odd.
///
/// # Safety
/// The CPU has AVX2.
#[inline(always)]
pub(super) unsafe fn even_bits(bits: __m256i) -> __m256i {
    // SAFETY: the caller's promise.
    unsafe {
        let odd = _mm_setr_epi8(0, -128, -128, 0, -128, 0, 0, -128, -128, 0, 0, -128, 0, -128, -128, 0);
        let odd = _mm256_broadcastsi128_si256(odd);
        let nibble = _mm256_set1_epi8(15);
        let low = _mm256_shuffle_epi8(odd, _mm256_and_si256(bits, nibble));
        let high = _mm256_shuffle_epi8(odd, _mm256_and_si256(_mm256_srli_epi16::<4>(bits), nibble));
        _mm256_xor_si256(bits, _mm256_xor_si256(low, high))
    }
}

/// The first two bytes of each of 8 blocks.
///
/// # Safety
/// The CPU has AVX2.
#[inline(always)]
pub(super) unsafe fn heads<B: Pod>(blocks: &[B; 8]) -> __m128i {
    const { assert!(size_of::<B>() >= 2) };
    // SAFETY: the caller's promise; load `i` has the head of block `i` in its word `i`, and none leaves the blocks: it
    // begins at `i * (size - 2)`, and the last ends at `7 * size + 2`.
    unsafe {
        let load = |i: usize| {
            let start = blocks.as_ptr().cast::<u8>().wrapping_add(i * (size_of::<B>() - 2));
            _mm_loadu_si128(start.cast())
        };
        let v = _mm_blend_epi16::<2>(load(0), load(1));
        let v = _mm_blend_epi16::<4>(v, load(2));
        let v = _mm_blend_epi16::<8>(v, load(3));
        let v = _mm_blend_epi16::<16>(v, load(4));
        let v = _mm_blend_epi16::<32>(v, load(5));
        let v = _mm_blend_epi16::<64>(v, load(6));
        _mm_blend_epi16::<128>(v, load(7))
    }
}

/// The first two bytes of each of 8 blocks, and the next two.
///
/// # Safety
/// The CPU has AVX2.
#[inline(always)]
pub(super) unsafe fn head_pairs<B: Pod>(blocks: &[B; 8]) -> [__m128i; 2] {
    const { assert!(size_of::<B>() >= 4) };
    // SAFETY: the caller's promise; load `i` of four blocks has the head of block `i` in its lane `i`, and none leaves
    // the blocks: it begins at `i * (size - 4)`, and the last ends at `3 * size + 4`.
    unsafe {
        let four = |first: usize| {
            let load = |i: usize| {
                let start = blocks[first..].as_ptr().cast::<u8>().wrapping_add(i * (size_of::<B>() - 4));
                _mm_loadu_si128(start.cast())
            };
            let v = _mm_blend_epi32::<2>(load(0), load(1));
            _mm_blend_epi32::<8>(_mm_blend_epi32::<4>(v, load(2)), load(3))
        };
        let (low, high) = (four(0), four(4));
        let zero = _mm_setzero_si128();
        let firsts =
            _mm_packus_epi32(_mm_blend_epi16::<0xaa>(low, zero), _mm_blend_epi16::<0xaa>(high, zero));
        [firsts, _mm_packus_epi32(_mm_srli_epi32::<16>(low), _mm_srli_epi32::<16>(high))]
    }
}

/// For each place of each vector, the shuffle of [`Isa::Steps`] that repeats what it wants.
#[inline(always)]
fn places() -> &'static [[[u8; 32]; 2]; 4] {
    #[repr(align(32))]
    struct Aligned([[[u8; 32]; 2]; 4]);
    static PLACES: Aligned = Aligned({
        let mut places = [[[0; 32]; 2]; 4];
        let mut i = 0;
        while i < 256 {
            places[i / 64][i / 32 % 2][i % 32] = (i / 32 * 2 + i % 2) as u8;
            i += 1;
        }
        places
    });
    let mut places = &raw const PLACES.0;
    // SAFETY: there is no instruction in it, so the pointer stays that of a static. It hides from the compiler what is
    // loaded, which it would else save by making two shuffles of each.
    unsafe {
        asm!("/* {} */", inout(reg) places, options(pure, readonly, nostack, preserves_flags));
        &*places
    }
}

impl<const VNNI: bool> Isa for Avx2<VNNI> {
    type F32 = [__m256; 2];
    type I32 = [__m256i; 2];
    type Bytes = [__m256i; 2];
    /// Words, of which place `i` of vector `v` wants number `2 * i + v` of each half.
    type Steps = __m256i;
    type Narrow = Self;

    const WIDE_OFFSET: i32 = 0;
    const PANEL_VECTORS: usize = 1;

    #[inline(always)]
    fn vectorize<K: Kernel>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "avx2,fma,f16c")]
        fn shell<const VNNI: bool, K: Kernel>(isa: Avx2<VNNI>, kernel: K) -> K::Output {
            kernel.run(isa)
        }
        proven!(shell(self, kernel))
    }

    #[inline(always)]
    fn narrow(self) -> Self {
        self
    }
    #[inline(always)]
    fn splat(self, v: f32) -> [__m256; 2] {
        proven!([_mm256_set1_ps(v); 2])
    }
    #[inline(always)]
    fn load(self, v: &[f32; 16]) -> [__m256; 2] {
        proven!([_mm256_loadu_ps(v.as_ptr()), _mm256_loadu_ps(v[8..].as_ptr())])
    }
    #[inline(always)]
    fn store(self, v: [__m256; 2], out: &mut [f32; 16]) {
        proven!({
            _mm256_storeu_ps(out.as_mut_ptr(), v[0]);
            _mm256_storeu_ps(out[8..].as_mut_ptr(), v[1]);
        });
    }
    #[inline(always)]
    fn load_8(self, v: &[f32; 8]) -> [__m256; 2] {
        proven!([_mm256_loadu_ps(v.as_ptr()), _mm256_setzero_ps()])
    }
    #[inline(always)]
    fn load_8_twice(self, v: &[f32; 8]) -> [__m256; 2] {
        proven!({
            let v = _mm256_loadu_ps(v.as_ptr());
            let low = _mm256_permutevar8x32_ps(v, _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3));
            [low, _mm256_permutevar8x32_ps(v, _mm256_setr_epi32(4, 4, 5, 5, 6, 6, 7, 7))]
        })
    }
    #[inline(always)]
    fn load_f16(self, v: &[u8; 32]) -> [__m256; 2] {
        proven!([
            _mm256_cvtph_ps(_mm_loadu_si128(v.as_ptr().cast())),
            _mm256_cvtph_ps(_mm_loadu_si128(v[16..].as_ptr().cast())),
        ])
    }
    #[inline(always)]
    fn store_f16(self, v: [__m256; 2], out: &mut [u8; 32]) {
        proven!({
            _mm_storeu_si128(out.as_mut_ptr().cast(), _mm256_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(v[0]));
            _mm_storeu_si128(
                out[16..].as_mut_ptr().cast(),
                _mm256_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(v[1]),
            );
        });
    }
    #[inline(always)]
    fn load_bf16(self, v: &[u8; 32]) -> [__m256; 2] {
        proven!({
            let low = _mm256_cvtepu16_epi32(_mm_loadu_si128(v.as_ptr().cast()));
            let high = _mm256_cvtepu16_epi32(_mm_loadu_si128(v[16..].as_ptr().cast()));
            [
                _mm256_castsi256_ps(_mm256_slli_epi32::<16>(low)),
                _mm256_castsi256_ps(_mm256_slli_epi32::<16>(high)),
            ]
        })
    }
    #[inline(always)]
    fn f16_8(self, bits: [u16; 8]) -> [__m256; 2] {
        proven!([_mm256_cvtph_ps(_mm_loadu_si128(bits.as_ptr().cast())), _mm256_setzero_ps()])
    }
    #[inline(always)]
    fn heads<B: Pod>(self, blocks: &[B; 8]) -> [__m256; 2] {
        proven!([_mm256_cvtph_ps(heads(blocks)), _mm256_setzero_ps()])
    }
    #[inline(always)]
    fn head_pairs<B: Pod>(self, blocks: &[B; 8]) -> [[__m256; 2]; 2] {
        proven!({
            let zero = _mm256_setzero_ps();
            let [first, second] = head_pairs(blocks);
            [[_mm256_cvtph_ps(first), zero], [_mm256_cvtph_ps(second), zero]]
        })
    }
    #[inline(always)]
    fn u8_16(self, v: [u8; 16]) -> [__m256; 2] {
        proven!({
            let v = self.load_16(&v);
            let high = _mm_unpackhi_epi64(v, v);
            [_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(v)), _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(high))]
        })
    }
    #[inline(always)]
    fn i8_16(self, v: [i8; 16]) -> [__m256; 2] {
        proven!({
            let v = self.load_16(&v.map(i8::cast_unsigned));
            let high = _mm_unpackhi_epi64(v, v);
            [_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(v)), _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(high))]
        })
    }
    #[inline(always)]
    fn f16_pair(self, bits: [u16; 2]) -> [f32; 2] {
        let [a, b, ..]: [f32; 4] =
            proven!(bytemuck::cast(_mm_cvtph_ps(_mm_cvtsi32_si128(bytemuck::cast(bits)))));
        [a, b]
    }
    #[inline(always)]
    fn f16(self, bits: u16) -> f32 {
        proven!(_mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(i32::from(bits)))))
    }

    #[inline(always)]
    fn add(self, a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
        pairwise!(_mm256_add_ps, a, b)
    }
    #[inline(always)]
    fn sub(self, a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
        pairwise!(_mm256_sub_ps, a, b)
    }
    #[inline(always)]
    fn mul(self, a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
        pairwise!(_mm256_mul_ps, a, b)
    }
    #[inline(always)]
    fn div(self, a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
        pairwise!(_mm256_div_ps, a, b)
    }
    #[inline(always)]
    fn fma(self, a: [__m256; 2], b: [__m256; 2], c: [__m256; 2]) -> [__m256; 2] {
        proven!([_mm256_fmadd_ps(a[0], b[0], c[0]), _mm256_fmadd_ps(a[1], b[1], c[1])])
    }
    #[inline(always)]
    fn max(self, a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
        pairwise!(_mm256_max_ps, a, b)
    }
    #[inline(always)]
    fn min(self, a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
        pairwise!(_mm256_min_ps, a, b)
    }
    #[inline(always)]
    fn abs(self, a: [__m256; 2]) -> [__m256; 2] {
        let magnitude = proven!([_mm256_castsi256_ps(_mm256_set1_epi32(0x7fff_ffff)); 2]);
        pairwise!(_mm256_and_ps, a, magnitude)
    }
    #[inline(always)]
    fn select_less(
        self,
        a: [__m256; 2],
        b: [__m256; 2],
        then: [__m256; 2],
        otherwise: [__m256; 2],
    ) -> [__m256; 2] {
        proven!([
            _mm256_blendv_ps(otherwise[0], then[0], _mm256_cmp_ps::<_CMP_LT_OQ>(a[0], b[0])),
            _mm256_blendv_ps(otherwise[1], then[1], _mm256_cmp_ps::<_CMP_LT_OQ>(a[1], b[1])),
        ])
    }
    #[inline(always)]
    fn sum(self, a: [__m256; 2]) -> f32 {
        proven!({
            let v = _mm256_add_ps(a[0], a[1]);
            let v = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps::<1>(v));
            let v = _mm_add_ps(v, _mm_movehl_ps(v, v));
            _mm_cvtss_f32(_mm_add_ss(v, _mm_movehdup_ps(v)))
        })
    }
    #[inline(always)]
    fn max_lane(self, a: [__m256; 2]) -> f32 {
        proven!({
            let v = _mm256_max_ps(a[0], a[1]);
            let v = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps::<1>(v));
            let v = _mm_max_ps(v, _mm_movehl_ps(v, v));
            _mm_cvtss_f32(_mm_max_ss(v, _mm_movehdup_ps(v)))
        })
    }
    #[inline(always)]
    fn round(self, a: [__m256; 2]) -> [__m256i; 2] {
        pairwise!(_mm256_cvtps_epi32, a)
    }
    #[inline(always)]
    fn to_f32(self, a: [__m256i; 2]) -> [__m256; 2] {
        pairwise!(_mm256_cvtepi32_ps, a)
    }
    #[inline(always)]
    fn exp2_int(self, e: [__m256i; 2]) -> [__m256; 2] {
        let biased = self.add_i32(e, self.splat_i32(127));
        proven!([
            _mm256_castsi256_ps(_mm256_slli_epi32::<23>(biased[0])),
            _mm256_castsi256_ps(_mm256_slli_epi32::<23>(biased[1])),
        ])
    }
    #[inline(always)]
    fn store_i8(self, a: [__m256i; 2], out: &mut [i8; 16]) {
        proven!({
            let words = _mm256_permute4x64_epi64::<0xd8>(_mm256_packs_epi32(a[0], a[1]));
            let bytes = _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256::<1>(words));
            _mm_storeu_si128(out.as_mut_ptr().cast(), _mm_max_epi8(bytes, _mm_set1_epi8(-127)));
        });
    }
    #[inline(always)]
    fn add_i32(self, a: [__m256i; 2], b: [__m256i; 2]) -> [__m256i; 2] {
        pairwise!(_mm256_add_epi32, a, b)
    }
    #[inline(always)]
    fn splat_i32(self, v: i32) -> [__m256i; 2] {
        proven!([_mm256_set1_epi32(v); 2])
    }

    #[inline(always)]
    fn prefetch(self, v: &[u8], ahead: usize) {
        for line in (0..v.len()).step_by(64) {
            proven!(_mm_prefetch::<_MM_HINT_T0>(v.as_ptr().wrapping_add(ahead + line).cast()));
        }
    }
    #[inline(always)]
    fn splat_bytes(self, v: u8) -> [__m256i; 2] {
        proven!([_mm256_set1_epi8(v.cast_signed()); 2])
    }
    #[inline(always)]
    fn load_bytes(self, v: &[u8; 64]) -> [__m256i; 2] {
        proven!([_mm256_loadu_si256(v.as_ptr().cast()), _mm256_loadu_si256(v[32..].as_ptr().cast())])
    }
    #[inline(always)]
    fn store_bytes(self, v: [__m256i; 2], out: &mut [u8; 64]) {
        proven!({
            _mm256_storeu_si256(out.as_mut_ptr().cast(), v[0]);
            _mm256_storeu_si256(out[32..].as_mut_ptr().cast(), v[1]);
        });
    }
    #[inline(always)]
    fn join_32(self, a: &[u8; 32], b: &[u8; 32]) -> [__m256i; 2] {
        [self.load_32(a), self.load_32(b)]
    }
    #[inline(always)]
    fn join_16(self, v: [&[u8; 16]; 4]) -> [__m256i; 2] {
        proven!([
            _mm256_set_m128i(self.load_16(v[1]), self.load_16(v[0])),
            _mm256_set_m128i(self.load_16(v[3]), self.load_16(v[2])),
        ])
    }
    #[inline(always)]
    fn join_4(self, v: [[u32; 4]; 4]) -> [__m256i; 2] {
        let four = |i: usize| {
            let [a, b, c, d] = v[i];
            proven!(_mm_setr_epi32(a.cast_signed(), b.cast_signed(), c.cast_signed(), d.cast_signed()))
        };
        proven!([_mm256_set_m128i(four(1), four(0)), _mm256_set_m128i(four(3), four(2))])
    }
    #[inline(always)]
    fn join_8(self, v: [u64; 8]) -> [__m256i; 2] {
        let [a, b, c, d, e, f, g, h] = v.map(u64::cast_signed);
        proven!([_mm256_setr_epi64x(a, b, c, d), _mm256_setr_epi64x(e, f, g, h)])
    }
    #[inline(always)]
    fn join_halves(self, pairs: [[u64; 8]; 2], upper: [u8; 2]) -> [__m256i; 2] {
        let mut joined = self.splat_bytes(0);
        for ((eight, [a, b, c, d, e, f, g, h]), bits) in joined.iter_mut().zip(pairs).zip(upper) {
            // In the order in which the halves are taken below.
            let [first, last] = self.join_8([a, b, e, f, c, d, g, h]);
            *eight = proven!({
                let bits = _mm256_set1_epi64x(i64::from(bits) << 5);
                let bit = _mm256_set1_epi64x(32);
                let of_first = _mm256_srlv_epi64(bits, _mm256_setr_epi64x(0, 1, 4, 5));
                let of_last = _mm256_srlv_epi64(bits, _mm256_setr_epi64x(2, 3, 6, 7));
                let first = _mm256_srlv_epi64(first, _mm256_and_si256(of_first, bit));
                let last = _mm256_srlv_epi64(last, _mm256_and_si256(of_last, bit));
                let (first, last) = (_mm256_castsi256_ps(first), _mm256_castsi256_ps(last));
                _mm256_castps_si256(_mm256_shuffle_ps::<0x88>(first, last))
            });
        }
        joined
    }
    #[inline(always)]
    fn six_bits(self, v: &[u8; 16]) -> [[i8; 16]; 2] {
        proven!({
            let v = self.load_16(v);
            let low = _mm_srlv_epi32(_mm_shuffle_epi32::<0b11_10_11_01>(v), _mm_setr_epi32(0, 0, 0, 4));
            let low = _mm_and_si128(low, _mm_setr_epi32(0x3f3f_3f3f, 0x0f0f_0f0f, 0x3f3f_3f3f, 0x0f0f_0f0f));
            let high = _mm_srli_epi32::<2>(_mm_shuffle_epi32::<0b10_10_01_01>(v));
            let both = _mm_or_si128(low, _mm_and_si128(high, _mm_setr_epi32(0, 0x3030_3030, 0, 0x3030_3030)));
            [bytemuck::cast(both), bytemuck::cast(_mm_unpackhi_epi64(both, both))]
        })
    }
    #[inline(always)]
    fn and(self, a: [__m256i; 2], b: [__m256i; 2]) -> [__m256i; 2] {
        pairwise!(_mm256_and_si256, a, b)
    }
    #[inline(always)]
    fn or(self, a: [__m256i; 2], b: [__m256i; 2]) -> [__m256i; 2] {
        pairwise!(_mm256_or_si256, a, b)
    }
    #[inline(always)]
    fn xor(self, a: [__m256i; 2], b: [__m256i; 2]) -> [__m256i; 2] {
        pairwise!(_mm256_xor_si256, a, b)
    }
    #[inline(always)]
    fn add_bytes(self, a: [__m256i; 2], b: [__m256i; 2]) -> [__m256i; 2] {
        pairwise!(_mm256_add_epi8, a, b)
    }
    #[inline(always)]
    fn sub_bytes(self, a: [__m256i; 2], b: [__m256i; 2]) -> [__m256i; 2] {
        pairwise!(_mm256_sub_epi8, a, b)
    }
    #[inline(always)]
    fn mul_bytes(self, v: [__m256i; 2], factors: &[u8; 64]) -> [__m256i; 2] {
        let low = proven!([_mm256_set1_epi16(0xff); 2]);
        let factors = pairwise!(_mm256_and_si256, self.load_bytes(factors), low);
        let even = pairwise!(_mm256_mullo_epi16, v, factors);
        let above = pairwise!(_mm256_andnot_si256, low, v);
        let odd = pairwise!(_mm256_mullo_epi16, above, factors);
        self.or(self.and(even, low), odd)
    }
    #[inline(always)]
    fn shr_by_32(self, v: [__m256i; 2], lo: u32, hi: u32) -> [__m256i; 2] {
        [self.shr(v[0], lo), self.shr(v[1], hi)]
    }
    #[inline(always)]
    fn shl(self, v: [__m256i; 2], n: u32) -> [__m256i; 2] {
        let n = proven!([_mm_cvtsi32_si128(n.cast_signed()); 2]);
        pairwise!(_mm256_sll_epi16, v, n)
    }
    #[inline(always)]
    fn bits(self, bits: u64, value: u8) -> [__m256i; 2] {
        [self.bits_32(bits as u32, value), self.bits_32((bits >> 32) as u32, value)]
    }
    #[inline(always)]
    fn masks<const EVEN: bool>(self, bits: &[u8; 32]) -> [[__m256i; 2]; 4] {
        proven!({
            let select =
                _mm256_setr_epi64x(0, 0x0101_0101_0101_0101, 0x0202_0202_0202_0202, 0x0303_0303_0303_0303);
            let of_byte = _mm256_set1_epi64x(0x8040_2010_0804_0201_u64.cast_signed());
            let bits = if EVEN { even_bits(self.load_32(bits)) } else { self.load_32(bits) };
            let mut masks = [[_mm256_setzero_si256(); 2]; 4];
            for (i, mask) in (0..).zip(masks.as_flattened_mut()) {
                let word = _mm256_permutevar8x32_epi32(bits, _mm256_set1_epi32(i));
                let spread = _mm256_shuffle_epi8(word, select);
                *mask = _mm256_cmpeq_epi8(_mm256_and_si256(spread, of_byte), of_byte);
            }
            masks
        })
    }
    #[inline(always)]
    fn at_least(self, v: [__m256i; 2], bound: u8) -> [__m256i; 2] {
        let larger = pairwise!(_mm256_max_epu8, v, self.splat_bytes(bound));
        pairwise!(_mm256_cmpeq_epi8, v, larger)
    }
    #[inline(always)]
    fn lookup(self, table: &[u8; 16], index: [__m256i; 2]) -> [__m256i; 2] {
        let table = proven!([_mm256_broadcastsi128_si256(self.load_16(table)); 2]);
        pairwise!(_mm256_shuffle_epi8, table, index)
    }

    #[inline(always)]
    fn wide(self, codes: [__m256i; 2]) -> [__m256i; 2] {
        codes
    }
    #[inline(always)]
    fn dot(self, codes: [__m256i; 2], x: &[i8; 64]) -> [__m256i; 2] {
        let pairs = pairwise!(_mm256_maddubs_epi16, codes, self.halves(x));
        let ones = proven!([_mm256_set1_epi16(1); 2]);
        pairwise!(_mm256_madd_epi16, pairs, ones)
    }
    #[inline(always)]
    fn dot_wide(self, codes: [__m256i; 2], x: &[i8; 64]) -> [__m256i; 2] {
        let x = self.halves(x);
        let ones = proven!([_mm256_set1_epi16(1); 2]);
        let pairs = [self.dot_signed(codes[0], x[0]), self.dot_signed(codes[1], x[1])];
        pairwise!(_mm256_madd_epi16, pairs, ones)
    }
    #[inline(always)]
    fn dot_both<P: Packing>(self, codes: [[__m256i; 2]; 2], x: &[[i8; 64]; 2]) -> [__m256i; 2] {
        let ones = proven!([_mm256_set1_epi16(1); 2]);
        let (a, b) =
            (self.pairs_of_products::<P>(codes[0], &x[0]), self.pairs_of_products::<P>(codes[1], &x[1]));
        if 4 * 127 * P::MAX_CODE <= 32767 {
            let pairs = pairwise!(_mm256_add_epi16, a, b);
            return pairwise!(_mm256_madd_epi16, pairs, ones);
        }
        self.add_i32(pairwise!(_mm256_madd_epi16, a, ones), pairwise!(_mm256_madd_epi16, b, ones))
    }
    #[inline(always)]
    fn steps<P: Packing, const SPLIT: bool>(self, steps: &[i8; 16]) -> __m256i {
        proven!({
            let order = match (P::HALVES, SPLIT) {
                (true, _) => _mm_setr_epi8(0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15),
                (false, true) => _mm_setr_epi8(0, 2, 4, 6, 0, 0, 0, 0, 1, 3, 5, 7, 0, 0, 0, 0),
                (false, false) => _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7),
            };
            let steps = _mm_loadu_si128(steps.as_ptr().cast());
            _mm256_cvtepi8_epi16(_mm_shuffle_epi8(steps, order))
        })
    }
    #[inline(always)]
    fn add_dots<P: Packing>(
        self,
        acc: [__m256i; 2],
        codes: [__m256i; 2],
        x: &[i8; 64],
        steps: __m256i,
        at: usize,
    ) -> [__m256i; 2] {
        let pairs = self.pairs_of_products::<P>(codes, x);
        let [first, second] = &places()[at];
        let steps = pairwise!(_mm256_shuffle_epi8, [steps; 2], [self.load_32(first), self.load_32(second)]);
        if VNNI {
            return [
                proven!(add_products(acc[0], pairs[0], steps[0])),
                proven!(add_products(acc[1], pairs[1], steps[1])),
            ];
        }
        self.add_i32(acc, pairwise!(_mm256_madd_epi16, pairs, steps))
    }
    #[inline(always)]
    fn fma_dot_16(self, a: &[i8; 16], b: &[i16; 16], scale: f32, [acc, other]: [__m256; 2]) -> [__m256; 2] {
        proven!({
            let a = _mm256_cvtepi8_epi16(_mm_loadu_si128(a.as_ptr().cast()));
            let dots = _mm256_madd_epi16(a, _mm256_loadu_si256(b.as_ptr().cast()));
            [_mm256_fmadd_ps(_mm256_cvtepi32_ps(dots), _mm256_set1_ps(scale), acc), other]
        })
    }
    #[inline(always)]
    fn fma_sum(self, [a, b]: [__m256i; 2], scale: f32, [acc, other]: [__m256; 2]) -> [__m256; 2] {
        proven!({
            let dots = _mm256_cvtepi32_ps(_mm256_add_epi32(a, b));
            [_mm256_fmadd_ps(dots, _mm256_set1_ps(scale), acc), other]
        })
    }
    #[inline(always)]
    fn fma_by_8(self, dots: [__m256i; 2], scales: &[f32; 2], acc: [__m256; 2]) -> [__m256; 2] {
        self.fma(self.to_f32(dots), proven!([_mm256_set1_ps(scales[0]), _mm256_set1_ps(scales[1])]), acc)
    }
    #[inline(always)]
    fn fma_by_4(self, dots: [__m256i; 2], scales: &[f32; 4], acc: [__m256; 2]) -> [__m256; 2] {
        let scales = proven!({
            let four = _mm256_broadcast_ps(&_mm_loadu_ps(scales.as_ptr()));
            let low = _mm256_permutevar_ps(four, _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1));
            [low, _mm256_permutevar_ps(four, _mm256_setr_epi32(2, 2, 2, 2, 3, 3, 3, 3))]
        });
        self.fma(self.to_f32(dots), scales, acc)
    }

    #[inline(always)]
    fn dot_tokens<P: Packing>() -> usize {
        if tile::has_numbers::<P>() { 10 } else { 6 }
    }
    #[inline(always)]
    fn has_numbers<P: Packing>() -> bool {
        tile::has_numbers::<P>()
    }
    #[inline(always)]
    fn repeats<P: Packing>() -> usize {
        tile::repeats::<P>()
    }
    #[inline(always)]
    fn store_numbers<P: Packing>(self, codes: [__m256i; 2], steps: [__m256i; 2], out: &mut [[u8; 64]; 2]) {
        tile::store_numbers::<P>(self.plain(), codes, steps, out);
    }
    #[inline(always)]
    fn ready<P: Packing>(self, x: &BlockQ8, out: &mut Ready) {
        tile::ready::<P>(self.plain(), x, out);
    }
    #[inline(always)]
    fn multiply<P: Packing, const T: usize, const V: usize>(
        self,
        spans: &[PanelSpan; V],
        x: Tokens<'_, T>,
        n_groups: usize,
        sums: &mut [[[__m256; 2]; T]; V],
    ) {
        for (span, sums) in spans.iter().zip(sums) {
            tile::multiply::<P, T>(self.plain(), span, x.ready, n_groups, sums);
        }
    }
    #[inline(always)]
    fn multiply_steps<P: Packing, const T: usize, const V: usize>(
        self,
        spans: &[PanelSpan; V],
        x: Tokens<'_, T>,
    ) -> [[[__m256i; 2]; T]; V] {
        let mut sums = [[self.splat_i32(0); T]; V];
        for (span, sums) in spans.iter().zip(&mut sums) {
            tile::multiply_steps::<P, T>(self.plain(), span, x.ready, sums);
        }
        sums
    }
    #[inline(always)]
    fn pairs(self, low: [__m256; 2], high: [__m256; 2]) -> [__m256i; 2] {
        proven!({
            let pair = |low, high| {
                let (low, high) = (_mm256_cvtps_epi32(low), _mm256_cvtps_epi32(high));
                _mm256_blend_epi16::<0xaa>(low, _mm256_slli_epi32::<16>(high))
            };
            [pair(low[0], high[0]), pair(low[1], high[1])]
        })
    }
    #[inline(always)]
    fn dot_pairs(self, pairs: [__m256i; 2], x: [i16; 2], acc: [__m256i; 2]) -> [__m256i; 2] {
        let x = self.splat_i32(bytemuck::cast(x));
        self.add_i32(acc, pairwise!(_mm256_madd_epi16, pairs, x))
    }
    #[inline(always)]
    fn transpose(self, rows: &mut [[__m256; 2]; 16]) {
        for (i, j) in [(0, 0), (0, 1), (1, 1)] {
            let mut a = proven!([_mm256_setzero_ps(); 8]);
            let mut b = a;
            for k in 0..8 {
                a[k] = rows[8 * i + k][j];
                b[k] = rows[8 * j + k][i];
            }
            let (a, b) = (self.transpose_8(a), self.transpose_8(b));
            for k in 0..8 {
                rows[8 * j + k][i] = a[k];
                rows[8 * i + k][j] = b[k];
            }
        }
    }
    #[inline(always)]
    fn bytes_as_lanes(self, v: [__m256i; 2]) -> [__m256; 2] {
        pairwise!(_mm256_castsi256_ps, v)
    }
    #[inline(always)]
    fn lanes_as_bytes(self, v: [__m256; 2]) -> [__m256i; 2] {
        pairwise!(_mm256_castps_si256, v)
    }
}
