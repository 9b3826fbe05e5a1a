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

    fn encode(&[x]: &[f32; 1], _: Option<Importance<'_, 1>>) -> Self {
        Self(U16::new(half::bf16::from_f32(x).to_bits()))
    }

    fn is_finite(&self) -> bool {
        half::bf16::from_bits(self.0.get()).is_finite()
    }
}
