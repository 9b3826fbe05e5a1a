//! The IQ1, IQ2 and IQ3 formats: eight or four values at a time from a codebook, with signs or shifts.

use quant::{
    blocks::{BlockIq1M, BlockIq1S, BlockIq2S, BlockIq2Xs, BlockIq2Xxs, BlockIq3S, BlockIq3Xxs},
    tables::{IQ1S_GRID, IQ2S_GRID, IQ2XS_GRID, IQ2XXS_GRID, IQ3S_GRID, IQ3XXS_GRID},
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

/// Codes of magnitudes, negated where `masks` are set, and moved up by `offset`.
#[inline(always)]
fn signed<I: Isa>(isa: I, magnitudes: [I::Bytes; 4], masks: [I::Bytes; 4], offset: i32) -> [I::Bytes; 4] {
    let mut codes = magnitudes;
    for (code, mask) in codes.iter_mut().zip(masks) {
        let value = isa.sub_bytes(isa.xor(*code, mask), mask);
        *code = isa.add_bytes(value, isa.splat_bytes(offset as u8));
    }
    codes
}

/// The four sevens of bits in each word, a byte each.
#[inline(always)]
fn sevens(words: [u32; 8]) -> [u8; 32] {
    let mut sevens = [[0; 4]; 8];
    for (sevens, word) in sevens.iter_mut().zip(words) {
        let spread = word & 0x7f | word << 1 & 0x7f00 | word << 2 & 0x7f_0000 | word << 3 & 0x7f00_0000;
        *sevens = spread.to_le_bytes();
    }
    bytemuck::cast(sevens)
}

/// The entries of 32 indexes.
#[inline(always)]
fn eights<I: Isa>(isa: I, grid: impl Fn(usize) -> u64) -> [I::Bytes; 4] {
    let mut codes = [isa.splat_bytes(0); 4];
    for (unit, codes) in codes.iter_mut().enumerate() {
        let k = 8 * unit;
        *codes = isa.join_8([
            grid(k),
            grid(k + 1),
            grid(k + 2),
            grid(k + 3),
            grid(k + 4),
            grid(k + 5),
            grid(k + 6),
            grid(k + 7),
        ]);
    }
    codes
}

/// The entries of 64 indexes.
#[inline(always)]
fn fours<I: Isa>(isa: I, grid: impl Fn(usize) -> u32) -> [I::Bytes; 4] {
    let mut codes = [isa.splat_bytes(0); 4];
    for (unit, codes) in codes.iter_mut().enumerate() {
        let quad = |q: usize| {
            let k = 16 * unit + 4 * q;
            [grid(k), grid(k + 1), grid(k + 2), grid(k + 3)]
        };
        *codes = isa.join_4([quad(0), quad(1), quad(2), quad(3)]);
    }
    codes
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
    fn codes<I: Isa>(isa: I, span: &Self::Span) -> [I::Bytes; 4] {
        let mut words = [0; 8];
        for (word, qs) in words.iter_mut().zip(&span.qs) {
            *word = Self::word(qs);
        }
        let magnitudes = eights(isa, |k| IQ2XXS_GRID[usize::from(span.qs[k / 4][k % 4])]);
        signed(isa, magnitudes, isa.masks::<true>(&sevens(words)), IQ2_OFFSET)
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
    fn codes<I: Isa>(isa: I, span: &Self::Span) -> [I::Bytes; 4] {
        let mut sevens = [0; 32];
        for (sevens, q) in sevens.iter_mut().zip(span.qs) {
            *sevens = (q.get() >> 9) as u8;
        }
        // Four at a time, as compilers compute single indexes in vectors, from where they are slow to get.
        let mut indexes = [0; 8];
        for (indexes, qs) in indexes.iter_mut().zip(bytemuck::cast_ref::<_, [[u8; 8]; 8]>(&span.qs)) {
            *indexes = u64::from_le_bytes(*qs) & 0x01ff_01ff_01ff_01ff;
        }
        let magnitudes = eights(isa, |k| IQ2XS_GRID[usize::from((indexes[k / 4] >> (16 * (k % 4))) as u16)]);
        signed(isa, magnitudes, isa.masks::<true>(&sevens), IQ2_OFFSET)
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
    fn codes<I: Isa>(isa: I, span: &Self::Span) -> [I::Bytes; 4] {
        let high = |k: usize| usize::from(span.qh[k / 4]) << (8 - 2 * (k % 4)) & 0x300;
        let magnitudes = eights(isa, |k| IQ2S_GRID[usize::from(span.qs[k]) | high(k)]);
        signed(isa, magnitudes, isa.masks::<false>(&span.signs), IQ2_OFFSET)
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
    fn codes<I: Isa>(isa: I, span: &Self::Span) -> [I::Bytes; 4] {
        let mut words = [0; 8];
        for (word, bytes) in words.iter_mut().zip(span.scales_signs) {
            *word = u32::from_le_bytes(bytes);
        }
        let magnitudes = fours(isa, |k| IQ3XXS_GRID[usize::from(span.qs[k])]);
        signed(isa, magnitudes, isa.masks::<true>(&sevens(words)), IQ3_XXS_OFFSET)
    }
}

/// The two entries that a byte of an index leaves open.
static IQ3S_PAIRS: [u64; 256] = {
    let mut pairs = [0; 256];
    let mut i = 0;
    while i < 256 {
        pairs[i] = IQ3S_GRID[i] as u64 | (IQ3S_GRID[256 + i] as u64) << 32;
        i += 1;
    }
    pairs
};

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
    fn codes<I: Isa>(isa: I, span: &Self::Span) -> [I::Bytes; 4] {
        let mut magnitudes = [isa.splat_bytes(0); 4];
        for (unit, codes) in magnitudes.iter_mut().enumerate() {
            let qs: &[u8; 16] = &span.qs.as_chunks().0[unit];
            let pair = |k: usize| IQ3S_PAIRS[usize::from(qs[k])];
            let first = [pair(0), pair(1), pair(2), pair(3), pair(4), pair(5), pair(6), pair(7)];
            let last = [pair(8), pair(9), pair(10), pair(11), pair(12), pair(13), pair(14), pair(15)];
            *codes = isa.join_halves([first, last], span.qh.as_chunks().0[unit]);
        }
        signed(isa, magnitudes, isa.masks::<false>(&span.signs), IQ3_S_OFFSET)
    }
}

/// `8 * value + 9 + 1` for the values of the codebook, and behind them `8 * value + 9 - 1`.
static IQ1_CODES: [u64; 4096] = {
    let mut codes = [0; 4096];
    let mut i = 0;
    while i < 4096 {
        let mut bytes = IQ1S_GRID[i % 2048].to_le_bytes();
        let shift = if i < 2048 { 1 } else { -1 };
        let mut k = 0;
        while k < 8 {
            bytes[k] = (8 * bytes[k].cast_signed() + IQ1_OFFSET as i8 + shift).cast_unsigned();
            k += 1;
        }
        codes[i] = u64::from_le_bytes(bytes);
        i += 1;
    }
    codes
};

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
    fn codes<I: Isa>(isa: I, span: &Self::Span) -> [I::Bytes; 4] {
        let high = |k: usize| {
            let qh = usize::from(span.qh[k / 4].get());
            qh << 8 >> (3 * (k % 4)) & 0x700 | qh >> 4 & 0x800
        };
        eights(isa, |k| IQ1_CODES[usize::from(span.qs[k]) | high(k)])
    }
}

pub(crate) struct Iq1M;

impl Format for Iq1M {
    type Packing = Steps16<{ 2 * IQ1_OFFSET }, IQ1_OFFSET>;
    type Span = BlockIq1M;

    #[inline(always)]
    fn scales<I: Isa>(isa: I, span: &Self::Span) -> Scales<I> {
        let mut scales = [0; 16];
        for (i, scale) in scales.iter_mut().enumerate() {
            // Products move the bits that count to the top, as no vector of words moves each by another number.
            let top = span.scales[i / 4].get().wrapping_mul(0x2000 >> (3 * (i % 4)));
            *scale = 2 * (top >> 13) as i8 + 1;
        }
        Scales::steps(scales, isa.f16(span.d().to_bits()) * 0.125)
    }
    #[inline(always)]
    fn codes<I: Isa>(isa: I, span: &Self::Span) -> [I::Bytes; 4] {
        let high = |k: usize| usize::from(span.qh[k / 2]) << (8 - 4 * (k % 2)) & 0xf00;
        eights(isa, |k| IQ1_CODES[usize::from(span.qs[k]) | high(k)])
    }
}
