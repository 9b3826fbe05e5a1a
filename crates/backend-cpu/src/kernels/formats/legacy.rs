//! `Q4_0`, `Q4_1`, `Q5_0`, `Q5_1`, `Q8_0`: a scale, perhaps a minimum, for each 32 values.

use quant::blocks::{BlockQ4_0, BlockQ4_1, BlockQ5_0, BlockQ5_1, BlockQ8_0};

use crate::{
    isa::{Isa, WIDE},
    kernels::format::{By32, By32WithMin, Format, Scales, nibbles},
};

pub(crate) struct Q4_0;

impl Format for Q4_0 {
    type Packing = By32<15, 8>;
    type Span = [BlockQ4_0; 8];
    const SPLIT: bool = true;
    const NIBBLE_LANES: usize = 4;

    #[inline(always)]
    fn scales<I: Isa>(isa: I, span: &Self::Span) -> Scales<I> {
        Scales::of(isa, isa.heads(span))
    }
    #[inline(always)]
    fn codes<I: Isa>(isa: I, span: &Self::Span) -> [I::Bytes; 4] {
        split(isa, Self::packed(isa, span))
    }
    #[inline(always)]
    fn packed<I: Isa>(isa: I, [a, b, c, d, e, f, g, h]: &Self::Span) -> [I::Bytes; 2] {
        joined(isa, [&a.qs, &b.qs, &c.qs, &d.qs, &e.qs, &f.qs, &g.qs, &h.qs])
    }
}

/// The nibbles of eight blocks, as they are stored.
#[inline(always)]
pub(super) fn joined<I: Isa>(isa: I, [a, b, c, d, e, f, g, h]: [&[u8; 16]; 8]) -> [I::Bytes; 2] {
    [isa.join_16([a, b, c, d]), isa.join_16([e, f, g, h])]
}

/// The low nibbles of four blocks and their high ones, then those of the other four.
#[inline(always)]
pub(super) fn split<I: Isa>(isa: I, [first, last]: [I::Bytes; 2]) -> [I::Bytes; 4] {
    let ([a, b], [c, d]) = (nibbles(isa, first), nibbles(isa, last));
    [a, b, c, d]
}

pub(crate) struct Q4_1;

impl Format for Q4_1 {
    type Packing = By32WithMin<15>;
    type Span = [BlockQ4_1; 8];
    const SPLIT: bool = true;
    const NIBBLE_LANES: usize = 4;

    #[inline(always)]
    fn scales<I: Isa>(isa: I, span: &Self::Span) -> Scales<I> {
        let [scale, min] = isa.head_pairs(span);
        Scales::Floats { scale, min: isa.sub(isa.splat(0.0), min) }
    }
    #[inline(always)]
    fn codes<I: Isa>(isa: I, span: &Self::Span) -> [I::Bytes; 4] {
        split(isa, Self::packed(isa, span))
    }
    #[inline(always)]
    fn packed<I: Isa>(isa: I, [a, b, c, d, e, f, g, h]: &Self::Span) -> [I::Bytes; 2] {
        joined(isa, [&a.qs, &b.qs, &c.qs, &d.qs, &e.qs, &f.qs, &g.qs, &h.qs])
    }
}

pub(crate) struct Q5_0;

impl Format for Q5_0 {
    type Packing = By32<31, 16>;
    type Span = [BlockQ5_0; 8];
    const SPLIT: bool = true;

    #[inline(always)]
    fn scales<I: Isa>(isa: I, span: &Self::Span) -> Scales<I> {
        Scales::of(isa, isa.heads(span))
    }
    #[inline(always)]
    fn codes<I: Isa>(isa: I, span: &Self::Span) -> [I::Bytes; 4] {
        let [a, b, c, d, e, f, g, h] = span;
        let packed = joined(isa, [&a.qs, &b.qs, &c.qs, &d.qs, &e.qs, &f.qs, &g.qs, &h.qs]);
        fifth_bits(isa, split(isa, packed), [[a.qh, b.qh, c.qh, d.qh], [e.qh, f.qh, g.qh, h.qh]])
    }
}

/// Adds the fifth bits to nibbles.
#[inline(always)]
fn fifth_bits<I: Isa>(isa: I, nibbles: [I::Bytes; 4], [first, last]: [[[u8; 4]; 4]; 2]) -> [I::Bytes; 4] {
    let (first, last) = (halves(first), halves(last));
    [
        isa.or(nibbles[0], isa.bits(first[0], 16)),
        isa.or(nibbles[1], isa.bits(first[1], 16)),
        isa.or(nibbles[2], isa.bits(last[0], 16)),
        isa.or(nibbles[3], isa.bits(last[1], 16)),
    ]
}

/// The low halves of four words, and the high ones.
#[inline(always)]
fn halves(words: [[u8; 4]; 4]) -> [u64; 2] {
    let mut halves = [0; 2];
    for (i, [a, b, c, d]) in words.into_iter().enumerate() {
        halves[0] |= u64::from(u16::from_le_bytes([a, b])) << (16 * i);
        halves[1] |= u64::from(u16::from_le_bytes([c, d])) << (16 * i);
    }
    halves
}

pub(crate) struct Q5_1;

impl Format for Q5_1 {
    type Packing = By32WithMin<31>;
    type Span = [BlockQ5_1; 8];
    const SPLIT: bool = true;

    #[inline(always)]
    fn scales<I: Isa>(isa: I, span: &Self::Span) -> Scales<I> {
        let [scale, min] = isa.head_pairs(span);
        Scales::Floats { scale, min: isa.sub(isa.splat(0.0), min) }
    }
    #[inline(always)]
    fn codes<I: Isa>(isa: I, span: &Self::Span) -> [I::Bytes; 4] {
        let [a, b, c, d, e, f, g, h] = span;
        let packed = joined(isa, [&a.qs, &b.qs, &c.qs, &d.qs, &e.qs, &f.qs, &g.qs, &h.qs]);
        fifth_bits(isa, split(isa, packed), [[a.qh, b.qh, c.qh, d.qh], [e.qh, f.qh, g.qh, h.qh]])
    }
}

pub(crate) struct Q8_0;

impl Format for Q8_0 {
    type Packing = By32<WIDE, 0>;
    type Span = [BlockQ8_0; 8];

    #[inline(always)]
    fn scales<I: Isa>(isa: I, span: &Self::Span) -> Scales<I> {
        Scales::of(isa, isa.heads(span))
    }
    #[inline(always)]
    fn codes<I: Isa>(isa: I, span: &Self::Span) -> [I::Bytes; 4] {
        let [a, b, c, d, e, f, g, h] = span;
        [join(isa, a, b), join(isa, c, d), join(isa, e, f), join(isa, g, h)]
    }
}

#[inline(always)]
fn join<I: Isa>(isa: I, a: &BlockQ8_0, b: &BlockQ8_0) -> I::Bytes {
    isa.join_32(bytemuck::cast_ref(&a.qs), bytemuck::cast_ref(&b.qs))
}
