//! Integer tiles on AVX2, whose products of bytes come as sums of two in 16 bits.
//!
//! Codes close enough to their offset are multiplied as bytes and added in 16 bits for as many steps as their
//! products fit, with what the offset adds taken away at the start: then only the end of a sum must fit, as what is
//! between wraps around. Other codes become numbers of 16 bits, whose products are added in 32.
//!
//! The innermost loops are assembly, because compilers spill: the sums of 6 tokens and 16 rows, two vectors of codes,
//! one of activations and one of products are all sixteen registers.
#![expect(unsafe_code, reason = "intrinsics and assembly, made sound by the existence of an `Avx2`")]

use std::arch::{asm, x86_64::*};
use std::mem::offset_of;

use super::Avx2;
use crate::{
    isa::{
        Isa, Packing,
        panel::{PanelSpan, Ready},
    },
    quantize::BlockQ8,
};

/// Evaluates intrinsics where there is an `Avx2`.
macro_rules! proven {
    ($e:expr) => {
        // SAFETY: the `Avx2` at hand exists only after `detect` saw avx2, fma and f16c; loads and stores go through
        // references to arrays of at least the size that the instruction touches.
        unsafe { $e }
    };
}

/// Steps of 4 products that can be added in 16 bits, two at a time: 8, 4, or none.
const fn width<P: Packing>() -> usize {
    let reach = if P::MAX_CODE - P::OFFSET > P::OFFSET { P::MAX_CODE - P::OFFSET } else { P::OFFSET };
    // Two products of a code itself must fit, as these are added before the offset is gone.
    match 32767 / (2 * 127 * reach) {
        _ if P::MAX_CODE > 127 => 0,
        0..4 => 0,
        4..8 => 4,
        _ => 8,
    }
}

#[inline(always)]
pub(super) fn has_numbers<P: Packing>() -> bool {
    const { width::<P>() == 0 }
}

/// See [`Isa::store_numbers`].
#[inline(always)]
pub(super) fn store_numbers<P: Packing>(
    isa: Avx2,
    codes: [__m256i; 2],
    steps: [__m256i; 2],
    out: &mut [[u8; 64]; 2],
) {
    // Each code moves to the upper half of a word, and from there down with its sign.
    const NONE: i8 = -128;
    let orders = proven!([
        _mm_setr_epi8(NONE, 0, NONE, 1, NONE, 4, NONE, 5, NONE, 8, NONE, 9, NONE, 12, NONE, 13),
        _mm_setr_epi8(NONE, 2, NONE, 3, NONE, 6, NONE, 7, NONE, 10, NONE, 11, NONE, 14, NONE, 15),
    ]);
    for (order, out) in orders.into_iter().zip(out) {
        let mut numbers = codes;
        for (number, step) in numbers.iter_mut().zip(steps) {
            *number = proven!({
                let upper = _mm256_shuffle_epi8(*number, _mm256_broadcastsi128_si256(order));
                let code = _mm256_srai_epi16::<8>(upper);
                let code = _mm256_sub_epi16(code, _mm256_set1_epi16(P::OFFSET as i16));
                if P::STEPS { _mm256_mullo_epi16(code, step) } else { code }
            });
        }
        isa.store_bytes(numbers, out);
    }
}

/// Steps whose products are added before they are scaled.
const fn pass<P: Packing>() -> usize {
    match width::<P>() {
        0 if P::STEPS => 64,
        0 => 8,
        8 if P::HALVES => 4,
        width => width,
    }
}

/// See [`Isa::repeats`].
#[inline(always)]
pub(super) fn repeats<P: Packing>() -> usize {
    if !has_numbers::<P>() && !P::HALVES && pass::<P>() == 4 { 2 } else { 1 }
}

/// See [`Isa::ready`].
#[inline(always)]
pub(super) fn ready<P: Packing>(isa: Avx2, x: &BlockQ8, out: &mut Ready) {
    for (i, scale) in out.scales.iter_mut().enumerate() {
        *scale = x.d[(i * pass::<P>() / 8).min(7)];
    }
    if has_numbers::<P>() {
        let numbers: &mut [[i16; 16]; 16] = bytemuck::cast_mut(&mut out.values);
        for (number, &q) in numbers.as_flattened_mut().iter_mut().zip(x.qs.as_flattened()) {
            *number = i16::from(q);
        }
        out.starts = [0; 16];
        return;
    }
    for (value, qs) in out.values.iter_mut().zip(&x.qs) {
        *value = bytemuck::cast(*qs);
    }
    let mut starts = isa.load_bytes(bytemuck::cast_ref(&x.pair_sum));
    for start in &mut starts {
        *start = proven!(_mm256_mullo_epi16(*start, _mm256_set1_epi16(-P::OFFSET as i16)));
    }
    if pass::<P>() == 8 {
        // Neighbours are added, and the sums move together.
        for start in &mut starts {
            *start = proven!({
                let even = _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6);
                let both = _mm256_add_epi16(*start, _mm256_shuffle_epi32::<0xb1>(*start));
                _mm256_permutevar8x32_epi32(both, even)
            });
        }
        starts = proven!([_mm256_blend_epi32::<0xf0>(starts[0], starts[1]), _mm256_setzero_si256()]);
    }
    isa.store_bytes(starts, bytemuck::cast_mut(&mut out.starts));
}

/// What the loops are to do: passes of four times `n_quads` vectors of codes, a scale for each pass.
#[derive(Clone, Copy)]
struct Passes<'a> {
    span: &'a PanelSpan,
    n_passes: usize,
    n_quads: usize,
}

impl<'a> Passes<'a> {
    /// All passes over `n_steps` steps of 4 values.
    #[inline(always)]
    fn new<P: Packing>(span: &'a PanelSpan, n_steps: usize) -> Self {
        let vectors = if has_numbers::<P>() { 2 } else { 1 };
        Self { span, n_passes: n_steps / pass::<P>(), n_quads: vectors * pass::<P>() / 4 }
    }

    /// Panics if a loop would leave the span.
    #[inline(always)]
    fn check(&self) {
        let within = self.n_passes <= 16 && 4 * self.n_passes * self.n_quads <= 128;
        assert!(within && self.n_passes > 0 && self.n_quads > 0, "passes within a span");
    }
}

/// Adds the products of a step: of 64 bytes of codes with 4 bytes of each token.
macro_rules! step {
    ($multiply:literal $add:literal $k:literal $($t:literal $low:ident $high:ident)*) => {
        concat!(
            "vmovdqa {codes_low}, [{codes} + 64*", $k, "]\n",
            "vmovdqa {codes_high}, [{codes} + 64*", $k, " + 32]\n",
            $(
                "vpbroadcastd {four}, [{x} + {size}*", $t, " + 4*", $k, "]\n",
                $multiply, " {products}, {codes_low}, {four}\n",
                $multiply, " {four}, {codes_high}, {four}\n",
                $add, " {", stringify!($low), "}, {", stringify!($low), "}, {products}\n",
                $add, " {", stringify!($high), "}, {", stringify!($high), "}, {four}\n",
            )*
        )
    };
}

/// An instruction for both sums of a token: the operands of the lower rows, then those of the upper ones.
macro_rules! both {
    ($name:literal $low:ident $high:ident, $by_low:literal, $by_high:literal) => {
        concat!(
            $name,
            " {",
            stringify!($low),
            "}, {",
            stringify!($low),
            "}, ",
            $by_low,
            "\n",
            $name,
            " {",
            stringify!($high),
            "}, {",
            stringify!($high),
            "}, ",
            $by_high,
            "\n",
        )
    };
}

/// Adds the products of a pass to the sums of a token.
macro_rules! end {
    (byte_steps $t:literal $low:ident $high:ident) => {
        concat!(both!("vpmaddwd" $low $high, "{codes_low}", "{codes_high}"), end!(number_steps $t $low $high))
    };
    (number_steps $t:literal $low:ident $high:ident) => {
        concat!(
            "vpaddd {", stringify!($low), "}, {", stringify!($low), "}, [{sums} + 64*", $t, "]\n",
            "vpaddd {", stringify!($high), "}, {", stringify!($high), "}, [{sums} + 64*", $t, " + 32]\n",
            end!(store $t $low $high)
        )
    };
    (byte_floats $t:literal $low:ident $high:ident) => {
        concat!(both!("vpmaddwd" $low $high, "[{ones}]", "[{ones}]"), end!(number_floats $t $low $high))
    };
    (number_floats $t:literal $low:ident $high:ident) => {
        concat!(
            "vcvtdq2ps {", stringify!($low), "}, {", stringify!($low), "}\n",
            "vcvtdq2ps {", stringify!($high), "}, {", stringify!($high), "}\n",
            "vbroadcastss {four}, [{each} + {size}*", $t, " + {scales}]\n",
            "vmulps {products}, {codes_low}, {four}\n",
            "vmulps {four}, {codes_high}, {four}\n",
            "vfmadd213ps {", stringify!($low), "}, {products}, [{sums} + 64*", $t, "]\n",
            "vfmadd213ps {", stringify!($high), "}, {four}, [{sums} + 64*", $t, " + 32]\n",
            end!(store $t $low $high)
        )
    };
    (store $t:literal $low:ident $high:ident) => {
        concat!(
            "vmovaps [{sums} + 64*", $t, "], {", stringify!($low), "}\n",
            "vmovaps [{sums} + 64*", $t, " + 32], {", stringify!($high), "}\n",
        )
    };
}

/// A loop over the passes of a span.
macro_rules! passes {
    ($name:ident: $kind:ident $vector:ty, $multiply:literal $add:literal, $n:literal; $($t:literal $low:ident $high:ident)*) => {
        /// # Safety
        /// The CPU has AVX2 and FMA.
        #[target_feature(enable = "avx2,fma")]
        #[inline]
        unsafe fn $name(plan: Passes<'_>, x: &[Ready; $n], sums: &mut [[$vector; 2]; $n]) {
            static ONES: [[i16; 2]; 8] = [[1; 2]; 8];
            plan.check();
            // SAFETY: reads the codes and scales of as many passes as `check` found in the span, the values of as
            // many, of which a token has 4 bytes for each 64 of codes, and their scales and starts, 16 at most; reads
            // and writes `sums`; changes registers that it names. What must be aligned to 32 bytes is: a span to 64,
            // `sums` as vectors.
            unsafe {
                asm!(
                    "2:",
                    $(
                        concat!("vpbroadcastd {", stringify!($low), "}, [{each} + {size}*", $t, " + {starts}]"),
                        concat!("vmovdqa {", stringify!($high), "}, {", stringify!($low), "}"),
                    )*
                    "mov {quad}, {n_quads}",
                    "3:",
                    step!($multiply $add 0 $($t $low $high)*),
                    step!($multiply $add 1 $($t $low $high)*),
                    step!($multiply $add 2 $($t $low $high)*),
                    step!($multiply $add 3 $($t $low $high)*),
                    "add {codes}, 256",
                    "add {x}, 16",
                    "dec {quad}",
                    "jnz 3b",
                    "vmovaps {codes_low}, [{factors}]",
                    "vmovaps {codes_high}, [{factors} + 32]",
                    $(end!($kind $t $low $high),)*
                    "add {factors}, 64",
                    "add {each}, 4",
                    "dec {n_passes}",
                    "jnz 2b",
                    "/* {ones} {scales} */",
                    codes = inout(reg) plan.span.codes.as_ptr() => _,
                    factors = inout(reg) plan.span.scales.as_ptr() => _,
                    x = inout(reg) x.as_ptr() => _,
                    each = inout(reg) x.as_ptr() => _,
                    sums = in(reg) sums.as_mut_ptr(),
                    ones = in(reg) ONES.as_ptr(),
                    n_passes = inout(reg) plan.n_passes => _,
                    n_quads = in(reg) plan.n_quads,
                    quad = out(reg) _,
                    size = const size_of::<Ready>(),
                    scales = const offset_of!(Ready, scales),
                    starts = const offset_of!(Ready, starts),
                    codes_low = out(ymm_reg) _,
                    codes_high = out(ymm_reg) _,
                    four = out(ymm_reg) _,
                    products = out(ymm_reg) _,
                    $($low = out(ymm_reg) _, $high = out(ymm_reg) _,)*
                    options(nostack),
                );
            }
        }
    };
}

/// The loops for a number of tokens.
macro_rules! all_passes {
    ($byte_floats:ident $byte_steps:ident $number_floats:ident $number_steps:ident $n:literal; $($rest:tt)*) => {
        passes!($byte_floats: byte_floats __m256, "vpmaddubsw" "vpaddw", $n; $($rest)*);
        passes!($byte_steps: byte_steps __m256i, "vpmaddubsw" "vpaddw", $n; $($rest)*);
        passes!($number_floats: number_floats __m256, "vpmaddwd" "vpaddd", $n; $($rest)*);
        passes!($number_steps: number_steps __m256i, "vpmaddwd" "vpaddd", $n; $($rest)*);
    };
}

all_passes!(byte_floats_6 byte_steps_6 number_floats_6 number_steps_6 6; 0 l0 h0 1 l1 h1 2 l2 h2 3 l3 h3 4 l4 h4 5 l5 h5);
all_passes!(byte_floats_4 byte_steps_4 number_floats_4 number_steps_4 4; 0 l0 h0 1 l1 h1 2 l2 h2 3 l3 h3);
all_passes!(byte_floats_2 byte_steps_2 number_floats_2 number_steps_2 2; 0 l0 h0 1 l1 h1);
all_passes!(byte_floats_1 byte_steps_1 number_floats_1 number_steps_1 1; 0 l0 h0);

/// Runs the loop for `T` tokens.
macro_rules! run {
    ($T:ident, $plan:expr, $x:ident, $sums:ident; $six:ident $four:ident $two:ident $one:ident) => {
        match $T {
            6 => run!($plan, $x, $sums; $six),
            4 => run!($plan, $x, $sums; $four),
            2 => run!($plan, $x, $sums; $two),
            1 => run!($plan, $x, $sums; $one),
            _ => unreachable!("tiles are of 6, 4, 2 or 1 tokens"),
        }
    };
    ($plan:expr, $x:ident, $sums:ident; $passes:ident) => {{
        let x = $x.first_chunk().expect("as many tokens");
        let sums = $sums.first_chunk_mut().expect("sums of as many tokens");
        // SAFETY: there is an `Avx2`.
        unsafe { $passes($plan, x, sums) }
    }};
}

/// See [`Isa::multiply`].
#[inline(always)]
pub(super) fn multiply<P: Packing, const T: usize>(
    _isa: Avx2,
    span: &PanelSpan,
    x: &[Ready; T],
    n_groups: usize,
    sums: &mut [[__m256; 2]; T],
) {
    let plan = Passes::new::<P>(span, 8 * n_groups);
    if has_numbers::<P>() {
        run!(T, plan, x, sums; number_floats_6 number_floats_4 number_floats_2 number_floats_1);
    } else {
        run!(T, plan, x, sums; byte_floats_6 byte_floats_4 byte_floats_2 byte_floats_1);
    }
}

/// See [`Isa::multiply_steps`].
#[inline(always)]
pub(super) fn multiply_steps<P: Packing, const T: usize>(
    _isa: Avx2,
    span: &PanelSpan,
    x: &[Ready; T],
    sums: &mut [[__m256i; 2]; T],
) {
    let plan = Passes::new::<P>(span, 64);
    if has_numbers::<P>() {
        run!(T, plan, x, sums; number_steps_6 number_steps_4 number_steps_2 number_steps_1);
    } else {
        run!(T, plan, x, sums; byte_steps_6 byte_steps_4 byte_steps_2 byte_steps_1);
    }
}
