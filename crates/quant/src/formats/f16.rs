//! `F16`: IEEE 754 binary16, each value its own block.

use bytemuck::{Pod, Zeroable};
use half::slice::HalfFloatSliceExt;

use crate::block::{Block, F16, Importance};

/// One half, at any alignment.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(transparent)]
pub struct BlockF16(pub F16);

impl Block<1> for BlockF16 {
    fn decode(&self, out: &mut [f32; 1]) {
        *out = [self.0.to_f32()];
    }

    #[inline(always)]
    fn encode(&[x]: &[f32; 1], _: Option<Importance<'_, 1>>) -> Self {
        Self(F16::from_f32(x))
    }

    fn is_finite(&self) -> bool {
        self.0.is_finite()
    }

    /// Converts by slices, for which `half` uses the hardware's instructions.
    fn decode_row(blocks: &[Self], out: &mut [f32]) {
        let mut halves = [half::f16::ZERO; 64];
        for (blocks, out) in blocks.chunks(64).zip(out.chunks_mut(64)) {
            let halves = &mut halves[..blocks.len()];
            for (half, block) in halves.iter_mut().zip(blocks) {
                *half = half::f16::from_bits(block.0.to_bits());
            }
            halves.convert_to_f32_slice(out);
        }
    }

    /// Converts by slices, for which `half` uses the hardware's instructions.
    #[inline(always)]
    fn encode_row(x: &[f32], _: Option<&[f32]>, blocks: &mut [Self]) {
        let mut halves = [half::f16::ZERO; 64];
        for (x, blocks) in x.chunks(64).zip(blocks.chunks_mut(64)) {
            let halves = &mut halves[..x.len()];
            halves.convert_from_f32_slice(x);
            for (block, half) in blocks.iter_mut().zip(halves) {
                *block = Self(F16::from_bits(half.to_bits()));
            }
        }
    }
}
