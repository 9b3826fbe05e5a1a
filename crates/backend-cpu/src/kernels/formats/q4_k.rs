//! `Q4_K`: nibbles in super-blocks of 256, with a 6-bit scale and minimum for each 32.

use bytemuck::{Pod, Zeroable};

use crate::{
    isa::Isa,
    kernels::format::{By32, By32WithMin, Format, Scales},
};

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
pub(crate) struct BlockQ4K {
    d: [u8; 2],
    dmin: [u8; 2],
    scales: [u8; 12],
    qs: [[u8; 32]; 4],
}

pub(crate) struct Q4K;

impl Format for Q4K {
    type Packing = By32WithMin<15>;
    type Span = BlockQ4K;

    #[inline(always)]
    fn scales<I: Isa>(isa: I, span: &Self::Span) -> Scales<I> {
        six_bit_scales(isa, &span.scales, span.d, span.dmin)
    }
    #[inline(always)]
    fn codes<I: Isa>(isa: I, span: &Self::Span, unit: usize) -> I::Bytes {
        let qs = &span.qs[unit];
        isa.and(isa.shr_by_32(isa.join_32(qs, qs), 0, 4), isa.splat_bytes(15))
    }
}

/// The 8 scales and 8 minima of `Q4_K` and `Q5_K`, packed to 12 bytes.
#[inline(always)]
pub(super) fn six_bit_scales<I: Isa>(isa: I, packed: &[u8; 12], d: [u8; 2], dmin: [u8; 2]) -> Scales<I> {
    let [a, b, c] = [0, 4, 8].map(|i| u32::from_le_bytes([packed[i], packed[i + 1], packed[i + 2], packed[i + 3]]));
    let low = 0x3f3f_3f3f;
    let scales = u64::from(a & low) | u64::from(c & 0x0f0f_0f0f | a >> 2 & 0x3030_3030) << 32;
    let mins = u64::from(b & low) | u64::from(c >> 4 & 0x0f0f_0f0f | b >> 2 & 0x3030_3030) << 32;
    let [d, dmin] = [d, dmin].map(|d| isa.splat(isa.f16(u16::from_le_bytes(d))));
    let numbers = |packed: u64| isa.u8_16(u128::from(packed).to_le_bytes());
    Scales { scale: isa.mul(numbers(scales), d), min: isa.mul(numbers(mins), dmin) }
}
