//! `TQ1_0`, `TQ2_0`, `Q1_0`, `Q2_0`: one or two bits a value, and a scale for 64 or more.

use quant::blocks::{BlockQ1_0, BlockQ2_0, BlockTq1_0, BlockTq2_0};

use super::k::crumbs;
use crate::{
    isa::Isa,
    kernels::format::{By32, Format, Scales, Steps32},
};

pub(crate) struct Tq1_0;

/// 3^n for the trit n of a byte that is a value of the first unit, the third, the fourth: the trit of value `j` is the
/// `j / 32`th of its byte, behind 160 values the `(j - 160) / 16`th, and behind 240 the `(j - 240) / 4`th.
static POWERS: [[u8; 64]; 3] = [powers(0), powers(128), powers(192)];

const fn powers(first: usize) -> [u8; 64] {
    let mut powers = [0; 64];
    let mut i = 0;
    while i < 64 {
        let trit = match first + i {
            j @ 0..160 => j / 32,
            j @ 160..240 => (j - 160) / 16,
            j => (j - 240) / 4,
        };
        powers[i] = [1, 3, 9, 27, 81][trit];
        i += 1;
    }
    powers
}

impl Format for Tq1_0 {
    type Packing = Steps32<2, 1>;
    type Span = BlockTq1_0;

    #[inline(always)]
    fn scales<I: Isa>(isa: I, span: &Self::Span) -> Scales<I> {
        Scales::steps([1; 16], isa.f16(span.d.to_bits()))
    }
    #[inline(always)]
    fn codes<I: Isa>(isa: I, span: &Self::Span) -> [I::Bytes; 4] {
        let (first, second) = span.qs.split_first_chunk::<32>().expect("48 bytes");
        let [low, high] = bytemuck::cast_ref::<_, [[u8; 16]; 2]>(first);
        let second = second.first_chunk().expect("16 bytes");
        let last = u128::from(u32::from_le_bytes(span.qh)) * 0x0000_0001_0000_0001_0000_0001_0000_0001;
        // Times 3^n, a byte's fraction of 256 starts with trit n.
        let both = isa.mul_bytes(isa.join_32(first, first), &POWERS[0]);
        let nine = isa.add_bytes(isa.shl(isa.and(both, isa.splat_bytes(0x1f)), 3), both);
        let mixed = isa.mul_bytes(isa.join_16([low, high, second, second]), &POWERS[1]);
        let rest = isa.mul_bytes(isa.join_16([second, second, second, &last.to_le_bytes()]), &POWERS[2]);
        [trits(isa, both), trits(isa, nine), trits(isa, mixed), trits(isa, rest)]
    }
}

/// What 3 times fractions of 256 are, rounded down.
#[inline(always)]
fn trits<I: Isa>(isa: I, fractions: I::Bytes) -> I::Bytes {
    let (one, two) = (isa.at_least(fractions, 86), isa.at_least(fractions, 171));
    // Adding 255 takes one away.
    isa.sub_bytes(isa.splat_bytes(0), isa.add_bytes(one, two))
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
    fn codes<I: Isa>(isa: I, span: &Self::Span) -> [I::Bytes; 4] {
        crumbs(isa, &span.qs)
    }
}

pub(crate) struct Q1_0;

impl Format for Q1_0 {
    // Codes 0 and 2, as values are -1 and 1.
    type Packing = By32<2, 1>;
    type Span = [BlockQ1_0; 2];

    #[inline(always)]
    fn scales<I: Isa>(isa: I, span: &Self::Span) -> Scales<I> {
        let (a, b) = (span[0].d.to_bits(), span[1].d.to_bits());
        Scales::of(isa, isa.f16_8([a, a, a, a, b, b, b, b]))
    }
    #[inline(always)]
    fn codes<I: Isa>(isa: I, span: &Self::Span) -> [I::Bytes; 4] {
        let mut codes = [isa.splat_bytes(0); 4];
        let halves = span.iter().flat_map(|block| block.qs.as_chunks().0);
        for (codes, half) in codes.iter_mut().zip(halves) {
            *codes = isa.bits(u64::from_le_bytes(*half), 2);
        }
        codes
    }
}

pub(crate) struct Q2_0;

impl Format for Q2_0 {
    type Packing = By32<3, 1>;
    type Span = [BlockQ2_0; 4];

    #[inline(always)]
    fn scales<I: Isa>(isa: I, span: &Self::Span) -> Scales<I> {
        let [a, b, c, d] = span;
        let (a, b, c, d) = (a.d.to_bits(), b.d.to_bits(), c.d.to_bits(), d.d.to_bits());
        Scales::of(isa, isa.f16_8([a, a, b, b, c, c, d, d]))
    }
    #[inline(always)]
    fn codes<I: Isa>(isa: I, span: &Self::Span) -> [I::Bytes; 4] {
        // A byte holds four neighbours: each goes to a byte of its own.
        let mut codes = [isa.splat_bytes(0); 4];
        for (codes, block) in codes.iter_mut().zip(span) {
            let mut quads = [[0; 4]; 16];
            for (quad, &byte) in quads.iter_mut().zip(&block.qs) {
                let byte = u32::from(byte);
                *quad = ((byte | byte << 6 | byte << 12 | byte << 18) & 0x0303_0303).to_le_bytes();
            }
            *codes = isa.load_bytes(bytemuck::cast_ref(&quads));
        }
        codes
    }
}
