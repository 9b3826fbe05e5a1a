//! The IQ1, IQ2 and IQ3 formats: eight or four values at a time from a codebook, with signs or shifts.

use quant::{
    blocks::{BlockIq1M, BlockIq1S, BlockIq2S, BlockIq2Xs, BlockIq2Xxs, BlockIq3S, BlockIq3Xxs},
    tables::{EVEN_SIGNS, IQ1S_GRID, IQ2S_GRID, IQ2XS_GRID, IQ2XXS_GRID, IQ3S_GRID, IQ3XXS_GRID},
};

use crate::{
    isa::Isa,
    kernels::format::{Format, Scales, Steps16, Steps32},
};

/// The largest magnitude of the IQ2 codebooks.
const IQ2_OFFSET: i32 = 43;
/// The largest magnitude of the codebook of `IQ3_XXS`.
const IQ3_XXS_OFFSET: i32 = 62;
/// The largest magnitude of the codebook of `IQ3_S`.
const IQ3_S_OFFSET: i32 = 15;
/// Eight times a value of the IQ1 codebook, -1 to 1, plus or minus one is at least minus this.
const IQ1_OFFSET: i32 = 9;

/// Codes of magnitudes, negated where `signs` has a bit, and moved up by `offset`.
#[inline(always)]
fn signed<I: Isa>(isa: I, magnitudes: [u64; 8], signs: u64, offset: i32) -> I::Bytes {
    let negative = isa.bits(signs, 255);
    let values = isa.sub_bytes(isa.xor(isa.join_8(magnitudes), negative), negative);
    isa.add_bytes(values, isa.splat_bytes(offset as u8))
}

/// The sign masks of four eights, from indexes of 7 bits.
#[inline(always)]
fn even_signs(word: u32) -> u64 {
    let mask = |k: u32| u64::from(EVEN_SIGNS[(word >> (7 * k) & 127) as usize]) << (8 * k);
    mask(0) | mask(1) | mask(2) | mask(3)
}

/// `d * (0.5 + nibble) / 4` for the 16 nibbles of 8 bytes, in steps of `d / 8`.
#[inline(always)]
fn nibble_scales<I: Isa>(isa: I, nibbles: [u8; 8], d: u16) -> Scales<I> {
    let mut scales = [0; 16];
    for (pair, byte) in scales.as_chunks_mut::<2>().0.iter_mut().zip(nibbles) {
        *pair = [1 + 2 * (byte & 15) as i8, 1 + 2 * (byte >> 4) as i8];
    }
    Scales::steps(scales, isa.f16(d) * 0.125)
}

/// `d * (1 + 2 * scale) * factor`, the scales being the top 4 bits of words.
#[inline(always)]
fn top_scales<I: Isa>(isa: I, words: impl Iterator<Item = u32>, d: u16, factor: f32) -> Scales<I> {
    let mut scales = [0; 16];
    for (scale, word) in scales.iter_mut().zip(words) {
        *scale = 1 + 2 * (word >> 28) as i8;
    }
    Scales::steps(scales, isa.f16(d) * factor)
}

pub(crate) struct Iq2Xxs;

impl Iq2Xxs {
    #[inline(always)]
    fn word(qs: &[u8; 8]) -> u32 {
        u32::from_le_bytes(*qs.last_chunk().expect("8 bytes"))
    }
}

impl Format for Iq2Xxs {
    type Packing = Steps32<{ 2 * IQ2_OFFSET }, IQ2_OFFSET>;
    type Span = BlockIq2Xxs;

    #[inline(always)]
    fn scales<I: Isa>(isa: I, span: &Self::Span) -> Scales<I> {
        top_scales(isa, span.qs.iter().map(Self::word), span.d.to_bits(), 0.125)
    }
    #[inline(always)]
    fn codes<I: Isa>(isa: I, span: &Self::Span, unit: usize) -> I::Bytes {
        let (a, b) = (&span.qs[2 * unit], &span.qs[2 * unit + 1]);
        let grid = |qs: &[u8; 8], k: usize| IQ2XXS_GRID[usize::from(qs[k])];
        let eights =
            [grid(a, 0), grid(a, 1), grid(a, 2), grid(a, 3), grid(b, 0), grid(b, 1), grid(b, 2), grid(b, 3)];
        signed(isa, eights, even_signs(Self::word(a)) | even_signs(Self::word(b)) << 32, IQ2_OFFSET)
    }
}

pub(crate) struct Iq2Xs;

impl Format for Iq2Xs {
    type Packing = Steps16<{ 2 * IQ2_OFFSET }, IQ2_OFFSET>;
    type Span = BlockIq2Xs;

    #[inline(always)]
    fn scales<I: Isa>(isa: I, span: &Self::Span) -> Scales<I> {
        nibble_scales(isa, span.scales, span.d.to_bits())
    }
    #[inline(always)]
    fn codes<I: Isa>(isa: I, span: &Self::Span, unit: usize) -> I::Bytes {
        let mut eights = [0; 8];
        let mut signs = 0;
        for (k, (eight, q)) in eights.iter_mut().zip(&span.qs[8 * unit..8 * unit + 8]).enumerate() {
            *eight = IQ2XS_GRID[usize::from(q.get() & 511)];
            signs |= u64::from(EVEN_SIGNS[usize::from(q.get() >> 9)]) << (8 * k);
        }
        signed(isa, eights, signs, IQ2_OFFSET)
    }
}

pub(crate) struct Iq2S;

impl Format for Iq2S {
    type Packing = Steps16<{ 2 * IQ2_OFFSET }, IQ2_OFFSET>;
    type Span = BlockIq2S;

    #[inline(always)]
    fn scales<I: Isa>(isa: I, span: &Self::Span) -> Scales<I> {
        nibble_scales(isa, span.scales, span.d.to_bits())
    }
    #[inline(always)]
    fn codes<I: Isa>(isa: I, span: &Self::Span, unit: usize) -> I::Bytes {
        let qs: &[u8; 8] = &span.qs.as_chunks().0[unit];
        let high = u16::from_le_bytes([span.qh[2 * unit], span.qh[2 * unit + 1]]);
        let mut eights = [0; 8];
        for (k, (eight, &low)) in eights.iter_mut().zip(qs).enumerate() {
            *eight = IQ2S_GRID[usize::from(low) | usize::from(high >> (2 * k) & 3) << 8];
        }
        signed(isa, eights, u64::from_le_bytes(span.signs.as_chunks().0[unit]), IQ2_OFFSET)
    }
}

pub(crate) struct Iq3Xxs;

impl Format for Iq3Xxs {
    type Packing = Steps32<{ 2 * IQ3_XXS_OFFSET }, IQ3_XXS_OFFSET>;
    type Span = BlockIq3Xxs;

    #[inline(always)]
    fn scales<I: Isa>(isa: I, span: &Self::Span) -> Scales<I> {
        top_scales(
            isa,
            span.scales_signs.iter().map(|word| u32::from_le_bytes(*word)),
            span.d.to_bits(),
            0.25,
        )
    }
    #[inline(always)]
    fn codes<I: Isa>(isa: I, span: &Self::Span, unit: usize) -> I::Bytes {
        let qs: &[u8; 16] = &span.qs.as_chunks().0[unit];
        let fours = |k: usize| u64::from(IQ3XXS_GRID[usize::from(qs[k])]);
        let mut eights = [0; 8];
        for (k, eight) in eights.iter_mut().enumerate() {
            *eight = fours(2 * k) | fours(2 * k + 1) << 32;
        }
        let a = even_signs(u32::from_le_bytes(span.scales_signs[2 * unit]));
        let b = even_signs(u32::from_le_bytes(span.scales_signs[2 * unit + 1]));
        signed(isa, eights, a | b << 32, IQ3_XXS_OFFSET)
    }
}

pub(crate) struct Iq3S;

impl Format for Iq3S {
    type Packing = Steps32<{ 2 * IQ3_S_OFFSET }, IQ3_S_OFFSET>;
    type Span = BlockIq3S;

    #[inline(always)]
    fn scales<I: Isa>(isa: I, span: &Self::Span) -> Scales<I> {
        let mut scales = [0; 16];
        for (pair, byte) in scales.as_chunks_mut::<2>().0.iter_mut().zip(span.scales) {
            *pair = [1 + 2 * (byte & 15) as i8, 1 + 2 * (byte >> 4) as i8];
        }
        Scales::steps(scales, isa.f16(span.d.to_bits()))
    }
    #[inline(always)]
    fn codes<I: Isa>(isa: I, span: &Self::Span, unit: usize) -> I::Bytes {
        let qs: &[u8; 16] = &span.qs.as_chunks().0[unit];
        let high = u16::from_le_bytes([span.qh[2 * unit], span.qh[2 * unit + 1]]);
        let fours = |k: usize| u64::from(IQ3S_GRID[usize::from(qs[k]) | usize::from(high >> k & 1) << 8]);
        let mut eights = [0; 8];
        for (k, eight) in eights.iter_mut().enumerate() {
            *eight = fours(2 * k) | fours(2 * k + 1) << 32;
        }
        signed(isa, eights, u64::from_le_bytes(span.signs.as_chunks().0[unit]), IQ3_S_OFFSET)
    }
}

/// `8 * value + shift + 9` for values of the IQ1 codebook and shifts of 1, or -1 where `negative` has a bit.
#[inline(always)]
fn shifted<I: Isa>(isa: I, eights: [u64; 8], negative: u64) -> I::Bytes {
    let values = isa.and(isa.shl(isa.join_8(eights), 3), isa.splat_bytes(0xf8));
    let shifts = isa.sub_bytes(isa.splat_bytes(IQ1_OFFSET as u8 + 1), isa.bits(negative, 2));
    isa.add_bytes(values, shifts)
}

pub(crate) struct Iq1S;

impl Format for Iq1S {
    type Packing = Steps32<{ 2 * IQ1_OFFSET }, IQ1_OFFSET>;
    type Span = BlockIq1S;

    #[inline(always)]
    fn scales<I: Isa>(isa: I, span: &Self::Span) -> Scales<I> {
        let mut scales = [0; 16];
        for (scale, qh) in scales.iter_mut().zip(span.qh) {
            *scale = 2 * (qh.get() >> 12 & 7) as i8 + 1;
        }
        Scales::steps(scales, isa.f16(span.d.to_bits()) * 0.125)
    }
    #[inline(always)]
    fn codes<I: Isa>(isa: I, span: &Self::Span, unit: usize) -> I::Bytes {
        let qs: &[u8; 8] = &span.qs.as_chunks().0[unit];
        let [a, b] = [span.qh[2 * unit].get(), span.qh[2 * unit + 1].get()];
        let mut eights = [0; 8];
        for (k, (eight, &low)) in eights.iter_mut().zip(qs).enumerate() {
            let high = if k < 4 { a } else { b } >> (3 * (k % 4)) & 7;
            *eight = IQ1S_GRID[usize::from(low) | usize::from(high) << 8];
        }
        let all = |word: u16| if word >> 15 == 1 { 0xffff_ffff } else { 0 };
        shifted(isa, eights, all(a) | all(b) << 32)
    }
}

pub(crate) struct Iq1M;

impl Format for Iq1M {
    type Packing = Steps16<{ 2 * IQ1_OFFSET }, IQ1_OFFSET>;
    type Span = BlockIq1M;

    #[inline(always)]
    fn scales<I: Isa>(isa: I, span: &Self::Span) -> Scales<I> {
        let mut scales = [0; 16];
        for (scales, word) in scales.as_chunks_mut::<4>().0.iter_mut().zip(span.scales) {
            for (s, scale) in scales.iter_mut().enumerate() {
                *scale = 2 * (word.get() >> (3 * s) & 7) as i8 + 1;
            }
        }
        Scales::steps(scales, isa.f16(span.d().to_bits()) * 0.125)
    }
    #[inline(always)]
    fn codes<I: Isa>(isa: I, span: &Self::Span, unit: usize) -> I::Bytes {
        let qs: &[u8; 8] = &span.qs.as_chunks().0[unit];
        let qh = u32::from_le_bytes(span.qh.as_chunks().0[unit]);
        let mut eights = [0; 8];
        let mut negative = 0;
        for (k, (eight, &low)) in eights.iter_mut().zip(qs).enumerate() {
            let nibble = qh >> (4 * k) & 15;
            *eight = IQ1S_GRID[usize::from(low) | ((nibble & 7) as usize) << 8];
            negative |= if nibble & 8 != 0 { 0xff << (8 * k) } else { 0 };
        }
        shifted(isa, eights, negative)
    }
}
