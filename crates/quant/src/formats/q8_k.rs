//! `Q8_K`: eight bits a value and sums of 16; the activations that meet super-block formats. Never in a file.

use bytemuck::{Pod, Zeroable};

use crate::block::{Block, F32, I16, Importance};
use crate::search::{largest, nearest};
use crate::vectorized::each;

/// 256 values `q * d`.
///
/// ```text
/// byte 0    4               260         292
///      |d   |qs[256]         |bsums[16]  |    bsums[i] = sum of qs[16 * i ..][..16]
/// ```
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct BlockQ8K {
    pub d: F32,
    pub qs: [i8; 256],
    /// The sums of 16 codes each: what a minimum or offset is multiplied by in a dot product.
    pub bsums: [I16; 16],
}

impl Block<256> for BlockQ8K {
    fn decode(&self, out: &mut [f32; 256]) {
        let d = self.d.get();
        *out = self.qs.map(|q| d * f32::from(q));
    }

    #[inline(always)]
    fn encode(x: &[f32; 256], _: Option<Importance<'_, 256>>) -> Self {
        let max = largest(x);
        if max == 0.0 {
            return Self::zeroed();
        }
        let inverse = -127.0 / max;
        let qs = each(x, |x| nearest(inverse * x).min(127.0) as i8);
        let mut bsums = [I16::new(0); 16];
        for (bsum, group) in bsums.iter_mut().zip(qs.as_chunks().0) {
            let group: &[i8; 16] = group;
            *bsum = I16::new(group.iter().map(|&q| i16::from(q)).sum());
        }
        Self { d: F32::new(1.0 / inverse), qs, bsums }
    }

    fn is_finite(&self) -> bool {
        self.d.get().is_finite()
    }
}
