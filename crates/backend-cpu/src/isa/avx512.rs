//! AVX-512 with VNNI: a virtual vector is a register.
#![expect(unsafe_code, reason = "intrinsics, made sound by the existence of an `Avx512`")]

use std::arch::{asm, x86_64::*};

use bytemuck::Pod;

use super::panel::{self, PanelSpan, Ready, SubBlocks, Tokens};
use super::{Isa, Kernel, Packing, avx2};
use crate::quantize::BlockQ8;

/// Proof that this CPU has AVX-512 F, BW, DQ, VL and VNNI, and all of AVX2, FMA and F16C.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx512 {
    narrow: avx2::Avx2<true>,
}

impl Avx512 {
    pub(crate) fn detect() -> Option<Self> {
        let narrow = avx2::Avx2::detect()?;
        (is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq"))
        .then_some(Self { narrow })
    }
}

/// Evaluates intrinsics in a method of `Avx512`.
macro_rules! proven {
    ($e:expr) => {
        // SAFETY: an `Avx512` exists only after `detect` saw every feature named there; loads and stores go
        // through references to arrays of at least the size that the instruction touches.
        unsafe { $e }
    };
}

/// `acc` and the products of words, in pairs; spelled out as its half in `avx2` is.
#[target_feature(enable = "avx512vnni")]
#[inline]
fn add_products(mut acc: __m512i, a: __m512i, b: __m512i) -> __m512i {
    // SAFETY: the instruction is there and changes one register, which it names.
    unsafe {
        asm!(
            "vpdpwssd {acc}, {a}, {b}",
            acc = inout(zmm_reg) acc, a = in(zmm_reg) a, b = in(zmm_reg) b,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
    acc
}

impl Avx512 {
    #[inline(always)]
    fn load_16(self, v: &[u8; 16]) -> __m128i {
        proven!(_mm_loadu_si128(v.as_ptr().cast()))
    }
    #[inline(always)]
    fn load_32(self, v: &[u8; 32]) -> __m256i {
        proven!(_mm256_loadu_si256(v.as_ptr().cast()))
    }
    /// `acc + dots * steps`, the lanes `at` of the steps' quarters.
    #[inline(always)]
    fn add_scaled(self, acc: __m512i, dots: __m512i, steps: __m512i, at: usize) -> __m512i {
        proven!({
            let steps = match at {
                0 => _mm512_shuffle_epi32::<0x00>(steps),
                1 => _mm512_shuffle_epi32::<0x55>(steps),
                2 => _mm512_shuffle_epi32::<0xaa>(steps),
                _ => _mm512_shuffle_epi32::<0xff>(steps),
            };
            _mm512_add_epi32(acc, _mm512_mullo_epi32(dots, steps))
        })
    }
    #[inline(always)]
    fn load_x(self, x: &[i8; 64]) -> __m512i {
        self.load_bytes(bytemuck::cast_ref(x))
    }
}

impl Isa for Avx512 {
    type F32 = __m512;
    type I32 = __m512i;
    type Bytes = __m512i;
    /// Words, of which place `i` wants number `i` of each quarter; of wide codes, lanes.
    type Steps = __m512i;
    type Narrow = avx2::Avx2<true>;

    const WIDE_OFFSET: i32 = 128;
    const PANEL_VECTORS: usize = 2;

    #[inline(always)]
    fn vectorize<K: Kernel>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
        fn shell<K: Kernel>(isa: Avx512, kernel: K) -> K::Output {
            kernel.run(isa)
        }
        proven!(shell(self, kernel))
    }

    #[inline(always)]
    fn narrow(self) -> avx2::Avx2<true> {
        self.narrow
    }
    #[inline(always)]
    fn splat(self, v: f32) -> __m512 {
        proven!(_mm512_set1_ps(v))
    }
    #[inline(always)]
    fn load(self, v: &[f32; 16]) -> __m512 {
        proven!(_mm512_loadu_ps(v.as_ptr()))
    }
    #[inline(always)]
    fn store(self, v: __m512, out: &mut [f32; 16]) {
        proven!(_mm512_storeu_ps(out.as_mut_ptr(), v));
    }
    #[inline(always)]
    fn load_8(self, v: &[f32; 8]) -> __m512 {
        proven!(_mm512_zextps256_ps512(_mm256_loadu_ps(v.as_ptr())))
    }
    #[inline(always)]
    fn load_8_twice(self, v: &[f32; 8]) -> __m512 {
        proven!({
            let twice = _mm512_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
            _mm512_permutexvar_ps(twice, self.load_8(v))
        })
    }
    #[inline(always)]
    fn load_f16(self, v: &[u8; 32]) -> __m512 {
        proven!(_mm512_cvtph_ps(self.load_32(v)))
    }
    #[inline(always)]
    fn store_f16(self, v: __m512, out: &mut [u8; 32]) {
        proven!(_mm256_storeu_si256(
            out.as_mut_ptr().cast(),
            _mm512_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(v)
        ));
    }
    #[inline(always)]
    fn load_bf16(self, v: &[u8; 32]) -> __m512 {
        proven!(_mm512_castsi512_ps(_mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(self.load_32(v)))))
    }
    #[inline(always)]
    fn f16_8(self, bits: [u16; 8]) -> __m512 {
        proven!(_mm512_zextps256_ps512(_mm256_cvtph_ps(_mm_loadu_si128(bits.as_ptr().cast()))))
    }
    #[inline(always)]
    fn heads<B: Pod>(self, blocks: &[B; 8]) -> __m512 {
        proven!(_mm512_zextps256_ps512(_mm256_cvtph_ps(avx2::heads(blocks))))
    }
    #[inline(always)]
    fn head_pairs<B: Pod>(self, blocks: &[B; 8]) -> [__m512; 2] {
        proven!({
            let [first, second] = avx2::head_pairs(blocks);
            [_mm512_zextps256_ps512(_mm256_cvtph_ps(first)), _mm512_zextps256_ps512(_mm256_cvtph_ps(second))]
        })
    }
    #[inline(always)]
    fn u8_16(self, v: [u8; 16]) -> __m512 {
        proven!(_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(self.load_16(&v))))
    }
    #[inline(always)]
    fn i8_16(self, v: [i8; 16]) -> __m512 {
        proven!(_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(self.load_16(&v.map(i8::cast_unsigned)))))
    }
    #[inline(always)]
    fn f16_pair(self, bits: [u16; 2]) -> [f32; 2] {
        self.narrow.f16_pair(bits)
    }
    #[inline(always)]
    fn f16(self, bits: u16) -> f32 {
        proven!(_mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(i32::from(bits)))))
    }

    #[inline(always)]
    fn add(self, a: __m512, b: __m512) -> __m512 {
        proven!(_mm512_add_ps(a, b))
    }
    #[inline(always)]
    fn sub(self, a: __m512, b: __m512) -> __m512 {
        proven!(_mm512_sub_ps(a, b))
    }
    #[inline(always)]
    fn mul(self, a: __m512, b: __m512) -> __m512 {
        proven!(_mm512_mul_ps(a, b))
    }
    #[inline(always)]
    fn div(self, a: __m512, b: __m512) -> __m512 {
        proven!(_mm512_div_ps(a, b))
    }
    #[inline(always)]
    fn fma(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        proven!(_mm512_fmadd_ps(a, b, c))
    }
    #[inline(always)]
    fn max(self, a: __m512, b: __m512) -> __m512 {
        proven!(_mm512_max_ps(a, b))
    }
    #[inline(always)]
    fn min(self, a: __m512, b: __m512) -> __m512 {
        proven!(_mm512_min_ps(a, b))
    }
    #[inline(always)]
    fn abs(self, a: __m512) -> __m512 {
        proven!(_mm512_abs_ps(a))
    }
    #[inline(always)]
    fn select_less(self, a: __m512, b: __m512, then: __m512, otherwise: __m512) -> __m512 {
        proven!(_mm512_mask_blend_ps(_mm512_cmp_ps_mask::<_CMP_LT_OQ>(a, b), otherwise, then))
    }
    #[inline(always)]
    fn sum(self, a: __m512) -> f32 {
        proven!(_mm512_reduce_add_ps(a))
    }
    #[inline(always)]
    fn max_lane(self, a: __m512) -> f32 {
        proven!(_mm512_reduce_max_ps(a))
    }
    #[inline(always)]
    fn round(self, a: __m512) -> __m512i {
        proven!(_mm512_cvtps_epi32(a))
    }
    #[inline(always)]
    fn to_f32(self, a: __m512i) -> __m512 {
        proven!(_mm512_cvtepi32_ps(a))
    }
    #[inline(always)]
    fn exp2_int(self, e: __m512i) -> __m512 {
        proven!(_mm512_castsi512_ps(_mm512_slli_epi32::<23>(_mm512_add_epi32(e, _mm512_set1_epi32(127)))))
    }
    #[inline(always)]
    fn store_i8(self, a: __m512i, out: &mut [i8; 16]) {
        proven!({
            let bytes = _mm512_cvtsepi32_epi8(_mm512_max_epi32(a, _mm512_set1_epi32(-127)));
            _mm_storeu_si128(out.as_mut_ptr().cast(), bytes);
        });
    }
    #[inline(always)]
    fn add_i32(self, a: __m512i, b: __m512i) -> __m512i {
        proven!(_mm512_add_epi32(a, b))
    }
    #[inline(always)]
    fn splat_i32(self, v: i32) -> __m512i {
        proven!(_mm512_set1_epi32(v))
    }

    #[inline(always)]
    fn prefetch(self, v: &[u8], ahead: usize) {
        for line in (0..v.len()).step_by(64) {
            proven!(_mm_prefetch::<_MM_HINT_T0>(v.as_ptr().wrapping_add(ahead + line).cast()));
        }
    }
    #[inline(always)]
    fn splat_bytes(self, v: u8) -> __m512i {
        proven!(_mm512_set1_epi8(v.cast_signed()))
    }
    #[inline(always)]
    fn load_bytes(self, v: &[u8; 64]) -> __m512i {
        proven!(_mm512_loadu_si512(v.as_ptr().cast()))
    }
    #[inline(always)]
    fn store_bytes(self, v: __m512i, out: &mut [u8; 64]) {
        proven!(_mm512_storeu_si512(out.as_mut_ptr().cast(), v));
    }
    #[inline(always)]
    fn join_32(self, a: &[u8; 32], b: &[u8; 32]) -> __m512i {
        proven!(_mm512_inserti64x4::<1>(_mm512_castsi256_si512(self.load_32(a)), self.load_32(b)))
    }
    #[inline(always)]
    fn join_16(self, v: [&[u8; 16]; 4]) -> __m512i {
        proven!({
            let low = _mm256_set_m128i(self.load_16(v[1]), self.load_16(v[0]));
            let high = _mm256_set_m128i(self.load_16(v[3]), self.load_16(v[2]));
            _mm512_inserti64x4::<1>(_mm512_castsi256_si512(low), high)
        })
    }
    #[inline(always)]
    fn join_4(self, v: [[u32; 4]; 4]) -> __m512i {
        let four = |i: usize| {
            let [a, b, c, d] = v[i];
            proven!(_mm_setr_epi32(a.cast_signed(), b.cast_signed(), c.cast_signed(), d.cast_signed()))
        };
        proven!({
            let (low, high) = (_mm256_set_m128i(four(1), four(0)), _mm256_set_m128i(four(3), four(2)));
            _mm512_inserti64x4::<1>(_mm512_castsi256_si512(low), high)
        })
    }
    #[inline(always)]
    fn join_8(self, v: [u64; 8]) -> __m512i {
        let [a, b, c, d, e, f, g, h] = v.map(u64::cast_signed);
        proven!(_mm512_setr_epi64(a, b, c, d, e, f, g, h))
    }
    #[inline(always)]
    fn join_halves(self, pairs: [[u64; 8]; 2], upper: [u8; 2]) -> __m512i {
        let eight = |i: usize| {
            let pairs = self.join_8(pairs[i]);
            proven!(_mm512_cvtepi64_epi32(_mm512_mask_srli_epi64::<32>(pairs, upper[i], pairs)))
        };
        proven!(_mm512_inserti64x4::<1>(_mm512_castsi256_si512(eight(0)), eight(1)))
    }
    #[inline(always)]
    fn six_bits(self, v: &[u8; 16]) -> [[i8; 16]; 2] {
        self.narrow.six_bits(v)
    }
    #[inline(always)]
    fn and(self, a: __m512i, b: __m512i) -> __m512i {
        proven!(_mm512_and_si512(a, b))
    }
    #[inline(always)]
    fn or(self, a: __m512i, b: __m512i) -> __m512i {
        proven!(_mm512_or_si512(a, b))
    }
    #[inline(always)]
    fn xor(self, a: __m512i, b: __m512i) -> __m512i {
        proven!(_mm512_xor_si512(a, b))
    }
    #[inline(always)]
    fn add_bytes(self, a: __m512i, b: __m512i) -> __m512i {
        proven!(_mm512_add_epi8(a, b))
    }
    #[inline(always)]
    fn sub_bytes(self, a: __m512i, b: __m512i) -> __m512i {
        proven!(_mm512_sub_epi8(a, b))
    }
    #[inline(always)]
    fn mul_bytes(self, v: __m512i, factors: &[u8; 64]) -> __m512i {
        proven!({
            let low = _mm512_set1_epi16(0xff);
            let factors = _mm512_and_si512(self.load_bytes(factors), low);
            let even = _mm512_mullo_epi16(v, factors);
            let odd = _mm512_mullo_epi16(_mm512_andnot_si512(low, v), factors);
            _mm512_or_si512(_mm512_and_si512(even, low), odd)
        })
    }
    #[inline(always)]
    fn shr_by_32(self, v: __m512i, lo: u32, hi: u32) -> __m512i {
        proven!({
            let low = _mm256_set1_epi16(lo as i16);
            let counts = _mm512_inserti64x4::<1>(_mm512_castsi256_si512(low), _mm256_set1_epi16(hi as i16));
            _mm512_srlv_epi16(v, counts)
        })
    }
    #[inline(always)]
    fn shl(self, v: __m512i, n: u32) -> __m512i {
        proven!(_mm512_sll_epi16(v, _mm_cvtsi32_si128(n.cast_signed())))
    }
    #[inline(always)]
    fn bits(self, bits: u64, value: u8) -> __m512i {
        proven!(_mm512_maskz_set1_epi8(bits, value.cast_signed()))
    }
    #[inline(always)]
    fn masks<const EVEN: bool>(self, bits: &[u8; 32]) -> [__m512i; 4] {
        proven!({
            let bits = if EVEN { avx2::even_bits(self.load_32(bits)) } else { self.load_32(bits) };
            let [a, b, c, d]: [u64; 4] = bytemuck::cast(bits);
            [_mm512_movm_epi8(a), _mm512_movm_epi8(b), _mm512_movm_epi8(c), _mm512_movm_epi8(d)]
        })
    }
    #[inline(always)]
    fn at_least(self, v: __m512i, bound: u8) -> __m512i {
        proven!(_mm512_movm_epi8(_mm512_cmpge_epu8_mask(v, self.splat_bytes(bound))))
    }
    #[inline(always)]
    fn lookup(self, table: &[u8; 16], index: __m512i) -> __m512i {
        proven!(_mm512_shuffle_epi8(_mm512_broadcast_i32x4(self.load_16(table)), index))
    }

    #[inline(always)]
    fn wide(self, codes: __m512i) -> __m512i {
        self.xor(codes, self.splat_bytes(0x80))
    }
    #[inline(always)]
    fn dot(self, codes: __m512i, x: &[i8; 64]) -> __m512i {
        proven!(_mm512_dpbusd_epi32(_mm512_setzero_si512(), codes, self.load_x(x)))
    }
    #[inline(always)]
    fn dot_wide(self, codes: __m512i, x: &[i8; 64]) -> __m512i {
        self.dot(codes, x)
    }
    #[inline(always)]
    fn dot_both<P: Packing>(self, codes: [__m512i; 2], x: &[[i8; 64]; 2]) -> __m512i {
        proven!(_mm512_dpbusd_epi32(self.dot(codes[0], &x[0]), codes[1], self.load_x(&x[1])))
    }
    #[inline(always)]
    fn steps<P: Packing, const SPLIT: bool>(self, steps: &[i8; 16]) -> __m512i {
        // What quarter `i` gets is every fourth from `i` on, or every other.
        let quarters: [[i16; 4]; 4] = if P::HALVES || SPLIT {
            [[0, 4, 8, 12], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15]]
        } else {
            [[0, 2, 4, 6], [0, 2, 4, 6], [1, 3, 5, 7], [1, 3, 5, 7]]
        };
        proven!({
            let steps = _mm_loadu_si128(steps.as_ptr().cast());
            let words: __m256i = bytemuck::cast(quarters);
            if P::IS_WIDE {
                return _mm512_permutexvar_epi32(_mm512_cvtepi16_epi32(words), _mm512_cvtepi8_epi32(steps));
            }
            let order = _mm512_permutexvar_epi64(
                _mm512_setr_epi64(0, 0, 1, 1, 2, 2, 3, 3),
                _mm512_castsi256_si512(words),
            );
            _mm512_permutexvar_epi16(order, _mm512_castsi256_si512(_mm256_cvtepi8_epi16(steps)))
        })
    }
    #[inline(always)]
    fn add_dots<P: Packing>(
        self,
        acc: __m512i,
        codes: __m512i,
        x: &[i8; 64],
        steps: __m512i,
        at: usize,
    ) -> __m512i {
        if P::IS_WIDE {
            return self.add_scaled(acc, self.dot(codes, x), steps, at);
        }
        proven!({
            let pairs = _mm512_maddubs_epi16(codes, self.load_x(x));
            let steps = _mm512_shuffle_epi8(steps, _mm512_set1_epi16((0x0100 + 0x0202 * at) as i16));
            add_products(acc, pairs, steps)
        })
    }
    #[inline(always)]
    fn add_both_dots<P: Packing>(
        self,
        acc: __m512i,
        codes: [__m512i; 2],
        x: &[[i8; 64]; 2],
        steps: __m512i,
        at: usize,
    ) -> __m512i {
        if P::IS_WIDE {
            return self.add_scaled(acc, self.dot_both::<P>(codes, x), steps, at);
        }
        let acc = self.add_dots::<P>(acc, codes[0], &x[0], steps, at);
        self.add_dots::<P>(acc, codes[1], &x[1], steps, at)
    }
    #[inline(always)]
    fn fma_dot_16(self, a: &[i8; 16], b: &[i16; 16], scale: f32, acc: __m512) -> __m512 {
        proven!({
            let a = _mm256_cvtepi8_epi16(_mm_loadu_si128(a.as_ptr().cast()));
            let dots = _mm256_cvtepi32_ps(_mm256_madd_epi16(a, _mm256_loadu_si256(b.as_ptr().cast())));
            self.fma(_mm512_zextps256_ps512(dots), self.splat(scale), acc)
        })
    }
    #[inline(always)]
    fn fma_sum(self, dots: __m512i, scale: f32, acc: __m512) -> __m512 {
        self.fma(self.to_f32(dots), self.splat(scale), acc)
    }
    #[inline(always)]
    fn fma_by_8(self, dots: __m512i, scales: &[f32; 2], acc: __m512) -> __m512 {
        let scales = proven!({
            let both = _mm512_castpd_ps(_mm512_set1_pd(bytemuck::cast(*scales)));
            _mm512_permutevar_ps(both, _mm512_setr_epi32(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1))
        });
        self.fma(self.to_f32(dots), scales, acc)
    }
    #[inline(always)]
    fn fma_by_4(self, dots: __m512i, scales: &[f32; 4], acc: __m512) -> __m512 {
        let scales = proven!({
            let four = _mm512_broadcast_f32x4(_mm_loadu_ps(scales.as_ptr()));
            _mm512_permutevar_ps(four, _mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3))
        });
        self.fma(self.to_f32(dots), scales, acc)
    }

    #[inline(always)]
    fn ready<P: Packing>(self, x: &BlockQ8, out: &mut Ready) {
        let offset = if P::IS_WIDE { Self::WIDE_OFFSET } else { P::OFFSET };
        let pairs = self.load_bytes(bytemuck::cast_ref(&x.pair_sum));
        let mut starts = self.dot_pairs(pairs, [-offset as i16; 2], self.splat_i32(0));
        if !P::HALVES {
            starts = self.add_i32(starts, proven!(_mm512_shuffle_epi32::<0xb1>(starts)));
        }
        self.store_bytes(starts, bytemuck::cast_mut(&mut out.starts));
    }
    panel::multiply_by_sub_blocks!();
    #[inline(always)]
    fn pairs(self, low: __m512, high: __m512) -> __m512i {
        proven!({
            let (low, high) = (_mm512_cvtps_epi32(low), _mm512_cvtps_epi32(high));
            let low = _mm512_and_si512(low, _mm512_set1_epi32(0xffff));
            _mm512_or_si512(low, _mm512_slli_epi32::<16>(high))
        })
    }
    #[inline(always)]
    fn dot_pairs(self, pairs: __m512i, x: [i16; 2], acc: __m512i) -> __m512i {
        proven!(add_products(acc, pairs, self.splat_i32(bytemuck::cast(x))))
    }
    #[inline(always)]
    fn transpose(self, rows: &mut [__m512; 16]) {
        proven!({
            // 4x4 squares within the 128-bit lanes, then the lanes.
            for quad in rows.as_chunks_mut::<4>().0 {
                let [a, b, c, d] = *quad;
                let (ab, ab_high) = (_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
                let (cd, cd_high) = (_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
                *quad = [
                    _mm512_shuffle_ps::<0x44>(ab, cd),
                    _mm512_shuffle_ps::<0xee>(ab, cd),
                    _mm512_shuffle_ps::<0x44>(ab_high, cd_high),
                    _mm512_shuffle_ps::<0xee>(ab_high, cd_high),
                ];
            }
            for i in 0..4 {
                let [a, b, c, d] = [rows[i], rows[4 + i], rows[8 + i], rows[12 + i]];
                let (ab, ab_high) = (_mm512_shuffle_f32x4::<0x44>(a, b), _mm512_shuffle_f32x4::<0xee>(a, b));
                let (cd, cd_high) = (_mm512_shuffle_f32x4::<0x44>(c, d), _mm512_shuffle_f32x4::<0xee>(c, d));
                rows[i] = _mm512_shuffle_f32x4::<0x88>(ab, cd);
                rows[4 + i] = _mm512_shuffle_f32x4::<0xdd>(ab, cd);
                rows[8 + i] = _mm512_shuffle_f32x4::<0x88>(ab_high, cd_high);
                rows[12 + i] = _mm512_shuffle_f32x4::<0xdd>(ab_high, cd_high);
            }
        });
    }
    #[inline(always)]
    fn bytes_as_lanes(self, v: __m512i) -> __m512 {
        proven!(_mm512_castsi512_ps(v))
    }
    #[inline(always)]
    fn lanes_as_bytes(self, v: __m512) -> __m512i {
        proven!(_mm512_castps_si512(v))
    }
}

impl SubBlocks for Avx512 {
    #[inline(always)]
    fn dots<P: Packing, const S: usize, const T: usize, const V: usize>(
        self,
        spans: &[PanelSpan; V],
        x: Tokens<'_, T>,
        at: usize,
    ) -> [[__m512i; T]; V] {
        let mut qs = [&[[0_i8; 4]; 64]; T];
        let mut sums = [[self.splat_i32(0); T]; V];
        for t in 0..T {
            qs[t] = bytemuck::cast_ref(&x.x[t].qs);
            for sums in &mut sums {
                sums[t] = self.splat_i32(x.ready[t].starts[S * at / 4]);
            }
        }
        #[expect(clippy::needless_range_loop, reason = "a step is one of each token's")]
        for step in S * at..S * (at + 1) {
            let mut codes = [self.splat_bytes(0); V];
            for (codes, span) in codes.iter_mut().zip(spans) {
                *codes = self.load_bytes(&span.codes[step]);
            }
            for t in 0..T {
                let x = self.splat_i32(bytemuck::cast(qs[t][step]));
                for v in 0..V {
                    sums[v][t] = proven!(_mm512_dpbusd_epi32(sums[v][t], codes[v], x));
                }
            }
        }
        sums
    }
    #[inline(always)]
    fn add_times(self, sums: __m512i, dots: __m512i, steps: __m512i) -> __m512i {
        proven!({
            let steps = _mm512_srai_epi32::<16>(steps);
            _mm512_add_epi32(sums, _mm512_mullo_epi32(dots, steps))
        })
    }
}
