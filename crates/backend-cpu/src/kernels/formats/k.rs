//! `Q2_K` to `Q6_K`: super-blocks of 256 with small integer scales for each 16 or 32 values.

use bytemuck::Pod;
use quant::blocks::{BlockQ2K, BlockQ3K, BlockQ4K, BlockQ5K, BlockQ6K, F16};

use crate::{
    isa::Isa,
    kernels::format::{Format, Scales, Steps, Steps16, Steps16WithMin, Steps32WithMin, bytes, less_32},
};

pub(crate) struct Q2K;

impl Format for Q2K {
    type Packing = Steps16WithMin<3>;
    type Span = BlockQ2K;

    #[inline(always)]
    fn scales<I: Isa>(isa: I, span: &Self::Span) -> Scales<I> {
        let packed = u128::from_le_bytes(span.scales);
        let low = u128::from_le_bytes([15; 16]);
        let [unit, min_unit] = isa.f16_pair([span.d.to_bits(), span.dmin.to_bits()]);
        Scales::Steps(Steps { scale: bytes(packed & low), min: bytes(packed >> 4 & low), unit, min_unit })
    }
    #[inline(always)]
    fn codes<I: Isa>(isa: I, span: &Self::Span) -> [I::Bytes; 4] {
        crumbs(isa, &span.qs)
    }
}

/// Codes of two bits: 32 bytes hold 128 values, the lowest bits first.
#[inline(always)]
pub(super) fn crumbs<I: Isa>(isa: I, qs: &[u8; 64]) -> [I::Bytes; 4] {
    let [first, last]: &[[u8; 32]; 2] = bytemuck::cast_ref(qs);
    let (first, last) = (isa.join_32(first, first), isa.join_32(last, last));
    let low = isa.splat_bytes(3);
    [
        isa.and(isa.shr_by_32(first, 0, 2), low),
        isa.and(isa.shr_by_32(first, 4, 6), low),
        isa.and(isa.shr_by_32(last, 0, 2), low),
        isa.and(isa.shr_by_32(last, 4, 6), low),
    ]
}

pub(crate) struct Q3K;

impl Format for Q3K {
    type Packing = Steps16<7, 4>;
    type Span = BlockQ3K;

    #[inline(always)]
    fn scales<I: Isa>(isa: I, span: &Self::Span) -> Scales<I> {
        let [low @ .., h0, h1, h2, h3] = span.scales;
        let low = u64::from_le_bytes(low);
        let high = u32::from_le_bytes([h0, h1, h2, h3]);
        let nibbles =
            u128::from(low & 0x0f0f_0f0f_0f0f_0f0f) | u128::from(low >> 4 & 0x0f0f_0f0f_0f0f_0f0f) << 64;
        let crumbs = (0..4).fold(0, |all, i| all | u128::from(high >> (2 * i) & 0x0303_0303) << (32 * i));
        Scales::steps(less_32(nibbles | crumbs << 4), isa.f16(span.d.to_bits()))
    }
    #[inline(always)]
    fn codes<I: Isa>(isa: I, span: &Self::Span) -> [I::Bytes; 4] {
        add_planes(isa, crumbs(isa, &span.qs), &span.hmask, 2)
    }
}

/// Sets bit `at` of the codes of values `j` to bit `j / 32` of byte `j % 32` of `planes`.
#[inline(always)]
fn add_planes<I: Isa>(isa: I, mut codes: [I::Bytes; 4], planes: &[u8; 32], at: u32) -> [I::Bytes; 4] {
    let planes = isa.join_32(planes, planes);
    for (unit, codes) in (0..).zip(&mut codes) {
        let bits = isa.and(isa.shr_by_32(planes, 2 * unit, 2 * unit + 1), isa.splat_bytes(1));
        *codes = isa.or(*codes, isa.shl(bits, at));
    }
    codes
}

pub(crate) struct Q4K;

impl Format for Q4K {
    type Packing = Steps32WithMin<15>;
    type Span = BlockQ4K;

    const NIBBLE_LANES: usize = 8;
    const NARROW: bool = true;

    #[inline(always)]
    fn scales<I: Isa>(isa: I, span: &Self::Span) -> Scales<I> {
        six_bit_scales(isa, span, span.d, span.dmin)
    }
    #[inline(always)]
    fn codes<I: Isa>(isa: I, span: &Self::Span) -> [I::Bytes; 4] {
        nibbles(isa, &span.qs)
    }
    #[inline(always)]
    fn packed<I: Isa>(isa: I, span: &Self::Span) -> [I::Bytes; 2] {
        let [first, last]: &[[u8; 64]; 2] = bytemuck::cast_ref(&span.qs);
        [isa.load_bytes(first), isa.load_bytes(last)]
    }
}

/// Of each 32 bytes the low nibbles, then the high ones.
#[inline(always)]
fn nibbles<I: Isa>(isa: I, qs: &[u8; 128]) -> [I::Bytes; 4] {
    let mut codes = [isa.splat_bytes(0); 4];
    for (codes, qs) in codes.iter_mut().zip(qs.as_chunks().0) {
        *codes = isa.and(isa.shr_by_32(isa.join_32(qs, qs), 0, 4), isa.splat_bytes(15));
    }
    codes
}

/// The 8 scales and 8 minima of `Q4_K` and `Q5_K`, packed to 12 bytes behind their units.
#[inline(always)]
fn six_bit_scales<I: Isa, B: Pod>(isa: I, block: &B, d: F16, dmin: F16) -> Scales<I> {
    let [scale, min] = isa.six_bits(bytemuck::bytes_of(block).first_chunk().expect("a block has 16 bytes"));
    let [unit, min_unit] = isa.f16_pair([d.to_bits(), dmin.to_bits()]);
    Scales::Steps(Steps { scale, min, unit, min_unit })
}

pub(crate) struct Q5K;

impl Format for Q5K {
    type Packing = Steps32WithMin<31>;
    type Span = BlockQ5K;

    const NARROW: bool = true;

    #[inline(always)]
    fn scales<I: Isa>(isa: I, span: &Self::Span) -> Scales<I> {
        six_bit_scales(isa, span, span.d, span.dmin)
    }
    #[inline(always)]
    fn codes<I: Isa>(isa: I, span: &Self::Span) -> [I::Bytes; 4] {
        add_planes(isa, nibbles(isa, &span.qs), &span.qh, 4)
    }
}

pub(crate) struct Q6K;

impl Format for Q6K {
    type Packing = Steps16<63, 32>;
    type Span = BlockQ6K;

    #[inline(always)]
    fn scales<I: Isa>(isa: I, span: &Self::Span) -> Scales<I> {
        Scales::steps(span.scales, isa.f16(span.d.to_bits()))
    }
    #[inline(always)]
    fn codes<I: Isa>(isa: I, span: &Self::Span) -> [I::Bytes; 4] {
        let [first, last]: &[[u8; 64]; 2] = bytemuck::cast_ref(&span.ql);
        let (first, last) = (isa.load_bytes(first), isa.load_bytes(last));
        let low = [first, isa.shr_by_32(first, 4, 4), last, isa.shr_by_32(last, 4, 4)];
        let mut codes = crumbs(isa, &span.qh);
        for (code, low) in codes.iter_mut().zip(low) {
            *code = isa.or(isa.and(low, isa.splat_bytes(15)), isa.shl(*code, 4));
        }
        codes
    }
}
