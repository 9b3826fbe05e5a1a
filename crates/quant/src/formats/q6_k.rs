//! `Q6_K`: six bits a value, 16 groups of 16 with an 8-bit scale.

use bytemuck::{Pod, Zeroable};

use crate::block::{Block, F16, Importance};
use crate::pack::{pack, unpack};
use crate::search::{GROUP_MAX_EPS, largest, nearest_int, round_to_scale, search_symmetric, squares};
use crate::vectorized::each;

/// 256 values `d * scale * (q - 32)`, scale of group `j / 16`.
///
/// ```text
/// byte 0              128         192        208 210
///      |ql[128]         |qh[64]    |scales[16]|d  |
/// of half h: ql[64 * h + l]: low nibble value 128 * h + l, high nibble value 128 * h + 64 + l (low four bits)
///            qh[32 * h + l]: bits 2 * k are the high two bits of value 128 * h + 32 * k + l
/// ```
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct BlockQ6K {
    pub ql: [u8; 128],
    pub qh: [u8; 64],
    pub scales: [i8; 16],
    pub d: F16,
}

impl BlockQ6K {
    /// The codes, 0 to 63.
    fn codes(&self) -> [u8; 256] {
        let mut codes = [0; 256];
        let halves = self.ql.as_chunks().0.iter().zip(self.qh.as_chunks().0);
        for (codes, (ql, qh)) in codes.as_chunks_mut::<128>().0.iter_mut().zip(halves) {
            let (low, high) = (unpack::<4, 64, 128>(ql), unpack::<2, 32, 128>(qh));
            *codes = std::array::from_fn(|l| low[l] | high[l] << 4);
        }
        codes
    }
}

impl Block<256> for BlockQ6K {
    fn decode(&self, out: &mut [f32; 256]) {
        let d = self.d.to_f32();
        let codes = self.codes();
        let (groups, _) = out.as_chunks_mut::<16>();
        for ((out, codes), scale) in groups.iter_mut().zip(codes.as_chunks::<16>().0).zip(self.scales) {
            let scale = d * f32::from(scale);
            *out = codes.map(|q| scale * (f32::from(q) - 32.0));
        }
    }

    #[inline(always)]
    fn encode(x: &[f32; 256], importance: Option<Importance<'_, 256>>) -> Self {
        let (mut codes, mut scales) = ([0; 256], [0.0; 16]);
        let groups = x.as_chunks::<16>().0.iter().zip(codes.as_chunks_mut::<16>().0).zip(&mut scales);
        for (g, ((x, codes), scale)) in groups.enumerate() {
            let weights = match importance {
                Some(importance) => importance.values.as_chunks::<16>().0[g],
                None => squares(x),
            };
            (*scale, *codes) = search_symmetric(x, &weights, 32.0);
        }
        let max = largest(&scales);
        if max.abs() < GROUP_MAX_EPS {
            return Self::zeroed();
        }
        let inverse = -128.0 / max;
        let d = F16::from_f32(1.0 / inverse);
        let scales = each(&scales, |scale| nearest_int(inverse * scale).min(127) as i8);
        let groups = x.as_chunks().0.iter().zip(codes.as_chunks_mut().0);
        for ((x, codes), scale) in groups.zip(scales) {
            round_to_scale(x, d.to_f32() * f32::from(scale), 32, codes);
        }
        let (ql, qh) = packed(&codes);
        Self { ql, qh, scales, d }
    }

    fn is_finite(&self) -> bool {
        self.d.is_finite()
    }
}

/// The low four and the high two bits of the codes.
#[inline(always)]
fn packed(codes: &[u8; 256]) -> ([u8; 128], [u8; 64]) {
    let (mut ql, mut qh) = ([0; 128], [0; 64]);
    let halves = ql.as_chunks_mut().0.iter_mut().zip(qh.as_chunks_mut().0);
    for (codes, (ql, qh)) in codes.as_chunks::<128>().0.iter().zip(halves) {
        *ql = pack::<4, 128, 64>(codes);
        *qh = pack::<2, 128, 32>(&each(codes, |code| code >> 4));
    }
    (ql, qh)
}
