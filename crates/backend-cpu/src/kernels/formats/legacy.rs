//! `Q4_0`, `Q4_1`, `Q5_0`, `Q5_1`, `Q8_0`: a scale, perhaps a minimum, for each 32 values.

use quant::blocks::{BlockQ4_0, BlockQ4_1, BlockQ5_0, BlockQ5_1, BlockQ8_0};

use crate::{
    isa::{Isa, WIDE},
    kernels::format::{By32, By32WithMin, Format, Scales},
};

pub(crate) struct Q4_0;

impl Format for Q4_0 {
    type Packing = By32<15, 8>;
    type Span = [BlockQ4_0; 8];
    const SPLIT: bool = true;

    #[inline(always)]
    fn scales<I: Isa>(isa: I, span: &Self::Span) -> Scales<I> {
        Scales::of(isa, isa.heads(span))
    }
    #[inline(always)]
    fn codes<I: Isa>(isa: I, span: &Self::Span, unit: usize) -> I::Bytes {
        let [a, b, c, d] = &span.as_chunks().0[unit / 2];
        nibbles(isa, [&a.qs, &b.qs, &c.qs, &d.qs], unit)
    }
}

/// The low nibbles of four blocks, in the second of two units the high ones.
#[inline(always)]
pub(super) fn nibbles<I: Isa>(isa: I, qs: [&[u8; 16]; 4], unit: usize) -> I::Bytes {
    let pairs = isa.join_16(qs);
    let nibbles = if unit.is_multiple_of(2) { pairs } else { isa.shr_by_32(pairs, 4, 4) };
    isa.and(nibbles, isa.splat_bytes(15))
}

pub(crate) struct Q4_1;

impl Format for Q4_1 {
    type Packing = By32WithMin<15>;
    type Span = [BlockQ4_1; 8];
    const SPLIT: bool = true;

    #[inline(always)]
    fn scales<I: Isa>(isa: I, span: &Self::Span) -> Scales<I> {
        let [scale, min] = isa.head_pairs(span);
        Scales::Floats { scale, min: isa.sub(isa.splat(0.0), min) }
    }
    #[inline(always)]
    fn codes<I: Isa>(isa: I, span: &Self::Span, unit: usize) -> I::Bytes {
        let [a, b, c, d] = &span.as_chunks().0[unit / 2];
        nibbles(isa, [&a.qs, &b.qs, &c.qs, &d.qs], unit)
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
    fn codes<I: Isa>(isa: I, span: &Self::Span, unit: usize) -> I::Bytes {
        let [a, b, c, d] = &span.as_chunks().0[unit / 2];
        let nibbles = nibbles(isa, [&a.qs, &b.qs, &c.qs, &d.qs], unit);
        isa.or(nibbles, fifth_bits(isa, [a.qh, b.qh, c.qh, d.qh], unit))
    }
}

/// The fifth bits that belong to [`nibbles`].
#[inline(always)]
fn fifth_bits<I: Isa>(isa: I, qh: [[u8; 4]; 4], unit: usize) -> I::Bytes {
    let mut bits = 0;
    for (i, [a, b, c, d]) in qh.into_iter().enumerate() {
        let half = if unit.is_multiple_of(2) { [a, b] } else { [c, d] };
        bits |= u64::from(u16::from_le_bytes(half)) << (16 * i);
    }
    isa.bits(bits, 16)
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
    fn codes<I: Isa>(isa: I, span: &Self::Span, unit: usize) -> I::Bytes {
        let [a, b, c, d] = &span.as_chunks().0[unit / 2];
        let nibbles = nibbles(isa, [&a.qs, &b.qs, &c.qs, &d.qs], unit);
        isa.or(nibbles, fifth_bits(isa, [a.qh, b.qh, c.qh, d.qh], unit))
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
    fn codes<I: Isa>(isa: I, span: &Self::Span, unit: usize) -> I::Bytes {
        isa.join_32(bytemuck::cast_ref(&span[2 * unit].qs), bytemuck::cast_ref(&span[2 * unit + 1].qs))
    }
}
