//! `Q4_0`, `Q4_1`, `Q5_0`, `Q5_1`, `Q8_0`: a scale, perhaps a minimum, for each 32 values.

use bytemuck::Pod;
use quant::blocks::{BlockQ4_0, BlockQ4_1, BlockQ5_0, BlockQ5_1, BlockQ8_0};

use crate::{
    isa::{Isa, WIDE},
    kernels::format::{By32, By32WithMin, Format, Scales},
};

/// The first four bytes of blocks: the scale, and what comes after it.
#[inline(always)]
pub(super) fn heads<B: Pod>(span: &[B; 8]) -> [u32; 8] {
    let mut heads = [0; 8];
    for (head, block) in heads.iter_mut().zip(span) {
        *head = u32::from_le_bytes(
            *bytemuck::bytes_of(block).first_chunk().expect("a block of at least 4 bytes"),
        );
    }
    heads
}

pub(crate) struct Q4_0;

impl Format for Q4_0 {
    type Packing = By32<15, 8>;
    type Span = [BlockQ4_0; 8];

    #[inline(always)]
    fn scales<I: Isa>(isa: I, span: &Self::Span) -> Scales<I> {
        Scales::of(isa, isa.f16_pairs(heads(span))[0])
    }
    #[inline(always)]
    fn codes<I: Isa>(isa: I, span: &Self::Span, unit: usize) -> I::Bytes {
        nibbles(isa, &span[2 * unit].qs, &span[2 * unit + 1].qs)
    }
}

/// The low nibbles of `a`, its high nibbles, then those of `b`.
#[inline(always)]
pub(super) fn nibbles<I: Isa>(isa: I, a: &[u8; 16], b: &[u8; 16]) -> I::Bytes {
    isa.and(isa.shr_by_16(isa.join_16([a, a, b, b]), 0, 4), isa.splat_bytes(15))
}

pub(crate) struct Q4_1;

impl Format for Q4_1 {
    type Packing = By32WithMin<15>;
    type Span = [BlockQ4_1; 8];

    #[inline(always)]
    fn scales<I: Isa>(isa: I, span: &Self::Span) -> Scales<I> {
        let [scale, min] = isa.f16_pairs(heads(span));
        Scales { scale, min: isa.sub(isa.splat(0.0), min), unit: 1.0, min_unit: 1.0 }
    }
    #[inline(always)]
    fn codes<I: Isa>(isa: I, span: &Self::Span, unit: usize) -> I::Bytes {
        nibbles(isa, &span[2 * unit].qs, &span[2 * unit + 1].qs)
    }
}

pub(crate) struct Q5_0;

impl Format for Q5_0 {
    type Packing = By32<31, 16>;
    type Span = [BlockQ5_0; 8];

    #[inline(always)]
    fn scales<I: Isa>(isa: I, span: &Self::Span) -> Scales<I> {
        Scales::of(isa, isa.f16_pairs(heads(span))[0])
    }
    #[inline(always)]
    fn codes<I: Isa>(isa: I, span: &Self::Span, unit: usize) -> I::Bytes {
        let (a, b) = (&span[2 * unit], &span[2 * unit + 1]);
        isa.or(nibbles(isa, &a.qs, &b.qs), fifth_bits(isa, a.qh, b.qh))
    }
}

#[inline(always)]
fn fifth_bits<I: Isa>(isa: I, a: [u8; 4], b: [u8; 4]) -> I::Bytes {
    isa.bits(u64::from(u32::from_le_bytes(a)) | u64::from(u32::from_le_bytes(b)) << 32, 16)
}

pub(crate) struct Q5_1;

impl Format for Q5_1 {
    type Packing = By32WithMin<31>;
    type Span = [BlockQ5_1; 8];

    #[inline(always)]
    fn scales<I: Isa>(isa: I, span: &Self::Span) -> Scales<I> {
        let [scale, min] = isa.f16_pairs(heads(span));
        Scales { scale, min: isa.sub(isa.splat(0.0), min), unit: 1.0, min_unit: 1.0 }
    }
    #[inline(always)]
    fn codes<I: Isa>(isa: I, span: &Self::Span, unit: usize) -> I::Bytes {
        let (a, b) = (&span[2 * unit], &span[2 * unit + 1]);
        isa.or(nibbles(isa, &a.qs, &b.qs), fifth_bits(isa, a.qh, b.qh))
    }
}

pub(crate) struct Q8_0;

impl Format for Q8_0 {
    type Packing = By32<WIDE, 0>;
    type Span = [BlockQ8_0; 8];

    #[inline(always)]
    fn scales<I: Isa>(isa: I, span: &Self::Span) -> Scales<I> {
        Scales::of(isa, isa.f16_pairs(heads(span))[0])
    }
    #[inline(always)]
    fn codes<I: Isa>(isa: I, span: &Self::Span, unit: usize) -> I::Bytes {
        isa.join_32(bytemuck::cast_ref(&span[2 * unit].qs), bytemuck::cast_ref(&span[2 * unit + 1].qs))
    }
}
