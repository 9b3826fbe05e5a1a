//! `IQ4_NL`, `IQ4_XS`, `MXFP4`, `NVFP4`: nibbles that stand for the 16 numbers of a table.

use quant::{
    blocks::{BlockIq4Nl, BlockIq4Xs, BlockMxfp4, BlockNvfp4},
    tables::{FP4_DOUBLED, IQ4_LEVELS},
};

use super::legacy::{joined, split};
use crate::{
    isa::{Isa, WIDE},
    kernels::format::{By16, By32, Format, Scales, Steps32, less_32},
};

/// The numbers of FP4, from 0 up.
const FP4_CODES: [u8; 16] = {
    let mut codes = [0; 16];
    let mut i = 0;
    while i < 16 {
        codes[i] = (FP4_DOUBLED[i] + FP4_OFFSET as i8).cast_unsigned();
        i += 1;
    }
    codes
};
const FP4_OFFSET: i32 = 12;

/// What the nibbles of all blocks stand for.
#[inline(always)]
fn look_up<I: Isa, F: Format>(isa: I, packed: [I::Bytes; 2]) -> [I::Bytes; 4] {
    let [a, b, c, d] = split(isa, packed);
    [F::of_nibbles(isa, a), F::of_nibbles(isa, b), F::of_nibbles(isa, c), F::of_nibbles(isa, d)]
}

#[inline(always)]
fn iq4_levels<I: Isa>(isa: I, nibbles: I::Bytes) -> I::Bytes {
    isa.lookup(bytemuck::cast_ref(const { &IQ4_LEVELS }), nibbles)
}

pub(crate) struct Iq4Nl;

impl Format for Iq4Nl {
    type Packing = By32<WIDE, 0>;
    type Span = [BlockIq4Nl; 8];
    const SPLIT: bool = true;
    const NIBBLE_LANES: usize = 4;

    #[inline(always)]
    fn scales<I: Isa>(isa: I, span: &Self::Span) -> Scales<I> {
        Scales::of(isa, isa.heads(span))
    }
    #[inline(always)]
    fn codes<I: Isa>(isa: I, span: &Self::Span) -> [I::Bytes; 4] {
        look_up::<I, Self>(isa, Self::packed(isa, span))
    }
    #[inline(always)]
    fn packed<I: Isa>(isa: I, [a, b, c, d, e, f, g, h]: &Self::Span) -> [I::Bytes; 2] {
        joined(isa, [&a.qs, &b.qs, &c.qs, &d.qs, &e.qs, &f.qs, &g.qs, &h.qs])
    }
    #[inline(always)]
    fn of_nibbles<I: Isa>(isa: I, nibbles: I::Bytes) -> I::Bytes {
        iq4_levels(isa, nibbles)
    }
}

pub(crate) struct Iq4Xs;

impl Format for Iq4Xs {
    type Packing = Steps32<WIDE, 0>;
    type Span = BlockIq4Xs;
    const SPLIT: bool = true;
    const NIBBLE_LANES: usize = 4;

    #[inline(always)]
    fn scales<I: Isa>(isa: I, span: &Self::Span) -> Scales<I> {
        // Nibble `g` of the low parts and bits `2 * g` of the high parts belong to group `g`: spread to bytes.
        let low = u64::from(u32::from_le_bytes(span.scales_l));
        let low = (low | low << 16) & 0x0000_ffff_0000_ffff;
        let low = (low | low << 8) & 0x00ff_00ff_00ff_00ff;
        let low = (low | low << 4) & 0x0f0f_0f0f_0f0f_0f0f;
        let high = u64::from(span.scales_h.get());
        let high = (high | high << 24) & 0x0000_00ff_0000_00ff;
        let high = (high | high << 12) & 0x000f_000f_000f_000f;
        let high = (high | high << 6) & 0x0303_0303_0303_0303;
        Scales::steps(less_32(u128::from(low | high << 4)), isa.f16(span.d.to_bits()))
    }
    #[inline(always)]
    fn codes<I: Isa>(isa: I, span: &Self::Span) -> [I::Bytes; 4] {
        look_up::<I, Self>(isa, Self::packed(isa, span))
    }
    #[inline(always)]
    fn packed<I: Isa>(isa: I, span: &Self::Span) -> [I::Bytes; 2] {
        let [first, last]: &[[u8; 64]; 2] = bytemuck::cast_ref(&span.qs);
        [isa.load_bytes(first), isa.load_bytes(last)]
    }
    #[inline(always)]
    fn of_nibbles<I: Isa>(isa: I, nibbles: I::Bytes) -> I::Bytes {
        iq4_levels(isa, nibbles)
    }
}

pub(crate) struct Mxfp4;

impl Format for Mxfp4 {
    type Packing = By32<24, FP4_OFFSET>;
    type Span = [BlockMxfp4; 8];
    const SPLIT: bool = true;
    const NIBBLE_LANES: usize = 4;

    #[inline(always)]
    fn scales<I: Isa>(isa: I, span: &Self::Span) -> Scales<I> {
        let mut exponents = [0_u32; 8];
        for (e, block) in exponents.iter_mut().zip(span) {
            *e = block.e.into();
        }
        let mut scales = [0.0; 8];
        for (scale, e) in scales.iter_mut().zip(exponents) {
            *scale = quant::blocks::half_power(e);
        }
        Scales::of(isa, isa.load_8(&scales))
    }
    #[inline(always)]
    fn codes<I: Isa>(isa: I, span: &Self::Span) -> [I::Bytes; 4] {
        look_up::<I, Self>(isa, Self::packed(isa, span))
    }
    #[inline(always)]
    fn packed<I: Isa>(isa: I, [a, b, c, d, e, f, g, h]: &Self::Span) -> [I::Bytes; 2] {
        joined(isa, [&a.qs, &b.qs, &c.qs, &d.qs, &e.qs, &f.qs, &g.qs, &h.qs])
    }
    #[inline(always)]
    fn of_nibbles<I: Isa>(isa: I, nibbles: I::Bytes) -> I::Bytes {
        isa.lookup(&FP4_CODES, nibbles)
    }
}

pub(crate) struct Nvfp4;

impl Format for Nvfp4 {
    type Packing = By16<24, FP4_OFFSET>;
    type Span = [BlockNvfp4; 4];

    #[inline(always)]
    fn scales<I: Isa>(isa: I, span: &Self::Span) -> Scales<I> {
        let mut scales = [[0.0; 4]; 4];
        for (scales, block) in scales.iter_mut().zip(span) {
            *scales = block.scales();
        }
        Scales::of(isa, isa.load(bytemuck::cast_ref(&scales)))
    }
    #[inline(always)]
    fn codes<I: Isa>(isa: I, span: &Self::Span) -> [I::Bytes; 4] {
        let mut codes = [isa.splat_bytes(0); 4];
        for (codes, block) in codes.iter_mut().zip(span) {
            let [a, b, c, d] = *bytemuck::cast_ref::<_, [[u8; 8]; 4]>(&block.qs);
            let [a, b, c, d] =
                [u64::from_le_bytes(a), u64::from_le_bytes(b), u64::from_le_bytes(c), u64::from_le_bytes(d)];
            let indexes = isa.join_8([a, a >> 4, b, b >> 4, c, c >> 4, d, d >> 4]);
            *codes = isa.lookup(&FP4_CODES, isa.and(indexes, isa.splat_bytes(15)));
        }
        codes
    }
}
