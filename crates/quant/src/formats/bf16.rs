//! `BF16`: the upper half of a float, each value its own block.

use bytemuck::{Pod, Zeroable};

use crate::block::{Block, Importance, U16};

/// One bfloat16, at any alignment.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(transparent)]
pub struct BlockBf16(pub U16);

impl Block<1> for BlockBf16 {
    fn decode(&self, out: &mut [f32; 1]) {
        *out = [f32::from_bits(u32::from(self.0.get()) << 16)];
    }

    #[inline(always)]
    fn encode(&[x]: &[f32; 1], _: Option<Importance<'_, 1>>) -> Self {
        Self(U16::new(rounded(x)))
    }

    fn is_finite(&self) -> bool {
        half::bf16::from_bits(self.0.get()).is_finite()
    }
}

/// The upper half of `x`, rounded to nearest, ties to even; NaN stays NaN. Without branches, so that rows become vectors.
#[inline(always)]
fn rounded(x: f32) -> u16 {
    const QUIET: u32 = 0x0040_0000;
    let bits = x.to_bits();
    let odd = bits >> 16 & 1;
    let bits = if x.is_nan() { bits | QUIET } else { bits.wrapping_add(0x7FFF + odd) };
    (bits >> 16) as u16
}
