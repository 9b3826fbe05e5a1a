//! `TQ1_0`, `TQ2_0`, `Q1_0`, `Q2_0`: one or two bits a value, and a scale for 64 or more.

use quant::blocks::{BlockQ1_0, BlockQ2_0, BlockTq1_0, BlockTq2_0};

use super::k::crumbs;
use crate::{
    isa::Isa,
    kernels::format::{By32, Format, Scales, Steps32},
};

pub(crate) struct Tq1_0;

impl Format for Tq1_0 {
    type Packing = Steps32<2, 1>;
    type Span = BlockTq1_0;

    #[inline(always)]
    fn scales<I: Isa>(isa: I, span: &Self::Span) -> Scales<I> {
        Scales::steps(isa, isa.splat(1.0), isa.f16(span.d.to_bits()))
    }
    #[inline(always)]
    fn codes<I: Isa>(isa: I, span: &Self::Span, unit: usize) -> I::Bytes {
        // Times 3^n, a byte's fraction of 256 starts with trit n.
        let (first, second) = span.qs.split_first_chunk::<32>().expect("48 bytes");
        let mut fractions = [0u8; 64];
        for (i, fraction) in fractions.iter_mut().enumerate() {
            let j = 64 * unit + i;
            let (byte, n) = match j {
                0..160 => (first[j % 32], j / 32),
                160..240 => (second[j % 16], (j - 160) / 16),
                _ => (span.qh[j % 4], (j - 240) / 4),
            };
            *fraction = byte.wrapping_mul(const { [1, 3, 9, 27, 81] }[n]);
        }
        // floor(3 * fraction / 256), counted up from 0; adding 255 takes one away.
        let fractions = isa.load_bytes(&fractions);
        let (one, two) = (isa.at_least(fractions, 86), isa.at_least(fractions, 171));
        isa.sub_bytes(isa.splat_bytes(0), isa.add_bytes(one, two))
    }
}

pub(crate) struct Tq2_0;

impl Format for Tq2_0 {
    type Packing = Steps32<3, 1>;
    type Span = BlockTq2_0;

    #[inline(always)]
    fn scales<I: Isa>(isa: I, span: &Self::Span) -> Scales<I> {
        Scales::steps(isa, isa.splat(1.0), isa.f16(span.d.to_bits()))
    }
    #[inline(always)]
    fn codes<I: Isa>(isa: I, span: &Self::Span, unit: usize) -> I::Bytes {
        isa.and(crumbs(isa, &span.qs, unit), isa.splat_bytes(3))
    }
}

pub(crate) struct Q1_0;

impl Format for Q1_0 {
    // Codes 0 and 2, as values are -1 and 1.
    type Packing = By32<2, 1>;
    type Span = [BlockQ1_0; 2];

    #[inline(always)]
    fn scales<I: Isa>(isa: I, span: &Self::Span) -> Scales<I> {
        let [a, b] = span.map(|b| b.d.to_bits());
        Scales::of(isa, isa.f16_8([a, a, a, a, b, b, b, b]))
    }
    #[inline(always)]
    fn codes<I: Isa>(isa: I, span: &Self::Span, unit: usize) -> I::Bytes {
        let bits = &span[unit / 2].qs.as_chunks().0[unit % 2];
        isa.bits(u64::from_le_bytes(*bits), 2)
    }
}

pub(crate) struct Q2_0;

impl Format for Q2_0 {
    type Packing = By32<3, 1>;
    type Span = [BlockQ2_0; 4];

    #[inline(always)]
    fn scales<I: Isa>(isa: I, span: &Self::Span) -> Scales<I> {
        let [a, b, c, d] = span.map(|b| b.d.to_bits());
        Scales::of(isa, isa.f16_8([a, a, b, b, c, c, d, d]))
    }
    #[inline(always)]
    fn codes<I: Isa>(isa: I, span: &Self::Span, unit: usize) -> I::Bytes {
        // A byte holds four neighbours: each goes to a byte of its own.
        let mut quads = [0u32; 16];
        for (quad, &byte) in quads.iter_mut().zip(&span[unit].qs) {
            let byte = u32::from(byte);
            *quad = (byte | byte << 6 | byte << 12 | byte << 18) & 0x0303_0303;
        }
        isa.load_bytes(bytemuck::cast_ref(&quads.map(u32::to_le_bytes)))
    }
}
