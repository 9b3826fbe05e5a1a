//! `TQ1_0`, `TQ2_0`, `Q1_0`, `Q2_0`: one or two bits a value, and a scale for 64 or more.

use quant::blocks::{BlockQ1_0, BlockQ2_0, BlockTq1_0, BlockTq2_0};

use super::k::crumbs;
use crate::{
    isa::Isa,
    kernels::format::{By32, Format, Scales, Steps32},
};

pub(crate) struct Tq1_0;

/// Which bytes of a unit are multiplied by 3 a first time, a second, a third, a fourth: the trit of value `j` is the
/// `j / 32`th of its byte, behind 160 values the `(j - 160) / 16`th, and behind 240 the `(j - 240) / 4`th.
static TRIPLED: [[[u8; 64]; 4]; 4] = {
    let mut tripled = [[[0; 64]; 4]; 4];
    let mut j = 0;
    while j < 256 {
        let trit = match j {
            0..160 => j / 32,
            160..240 => (j - 160) / 16,
            _ => (j - 240) / 4,
        };
        let mut n = 0;
        while n < trit {
            tripled[j / 64][n][j % 64] = 0xff;
            n += 1;
        }
        j += 1;
    }
    tripled
};

impl Format for Tq1_0 {
    type Packing = Steps32<2, 1>;
    type Span = BlockTq1_0;

    #[inline(always)]
    fn scales<I: Isa>(isa: I, span: &Self::Span) -> Scales<I> {
        Scales::steps([1; 16], isa.f16(span.d.to_bits()))
    }
    #[inline(always)]
    fn codes<I: Isa>(isa: I, span: &Self::Span, unit: usize) -> I::Bytes {
        let (first, second) = span.qs.split_first_chunk::<32>().expect("48 bytes");
        let second = second.first_chunk().expect("16 bytes");
        let mut fractions = match unit {
            0 | 1 => isa.join_32(first, first),
            2 => {
                let [low, high] = bytemuck::cast_ref::<_, [[u8; 16]; 2]>(first);
                isa.join_16([low, high, second, second])
            }
            _ => {
                let last =
                    u128::from(u32::from_le_bytes(span.qh)) * 0x0000_0001_0000_0001_0000_0001_0000_0001;
                isa.join_16([second, second, second, &last.to_le_bytes()])
            }
        };
        // Times 3^n, a byte's fraction of 256 starts with trit n.
        for masks in &TRIPLED[unit] {
            let tripled = isa.and(isa.load_bytes(masks), fractions);
            fractions = isa.add_bytes(fractions, isa.add_bytes(tripled, tripled));
        }
        // floor(3 * fraction / 256), counted up from 0; adding 255 takes one away.
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
        Scales::steps([1; 16], isa.f16(span.d.to_bits()))
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
