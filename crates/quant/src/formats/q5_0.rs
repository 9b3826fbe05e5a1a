//! `Q5_0`: five bits a value, symmetric.

use bytemuck::{Pod, Zeroable};

use crate::block::{Block, F16, Importance};
use crate::pack::{fifth_bits, pack, unpack};
use crate::search::{round_symmetric, search_symmetric, weights};

/// 32 values `(q - 16) * d`.
///
/// ```text
/// byte 0  2    6              22
///      |d |qh  |qs[16]         |    qs[j]: low nibble value j, high nibble value j + 16
///                                   fifth bit of value j: bit j % 8 of qh[j / 8]
/// ```
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct BlockQ5_0 {
    pub d: F16,
    pub qh: [u8; 4],
    pub qs: [u8; 16],
}

impl Block<32> for BlockQ5_0 {
    fn decode(&self, out: &mut [f32; 32]) {
        let d = self.d.to_f32();
        *out = codes(&self.qs, self.qh).map(|q| (f32::from(q) - 16.0) * d);
    }

    #[inline(always)]
    fn encode(x: &[f32; 32], importance: Option<Importance<'_, 32>>) -> Self {
        let (d, codes) = match importance {
            Some(importance) => {
                let weights = weights(x, importance.values, importance.row_mean_square);
                search_symmetric(x, &weights, 16.0)
            }
            None => round_symmetric(x, 16.0),
        };
        let (qs, qh) = packed(&codes);
        Self { d: F16::from_f32(d), qh, qs }
    }

    fn is_finite(&self) -> bool {
        self.d.is_finite()
    }
}

/// The 32 five-bit codes of low nibbles and fifth bits.
pub(super) fn codes(qs: &[u8; 16], qh: [u8; 4]) -> [u8; 32] {
    let high = u32::from_le_bytes(qh);
    let mut codes = unpack::<4, 16, 32>(qs);
    for (j, code) in codes.iter_mut().enumerate() {
        *code |= ((high >> j & 1) as u8) << 4;
    }
    codes
}

/// The low nibbles and fifth bits of 32 five-bit codes.
#[inline(always)]
pub(super) fn packed(codes: &[u8; 32]) -> ([u8; 16], [u8; 4]) {
    (pack::<4, 32, 16>(codes), fifth_bits(codes))
}
