//! `NVFP4`: four-bit floats, with an eight-bit float scale for each 16. A further scale of the whole tensor is
//! a tensor of its own, not part of this format.

use bytemuck::{Pod, Zeroable};

use crate::block::{Block, Importance};
use crate::formats::mxfp4::nearest_fp4;
use crate::pack::{pack, unpack};
use crate::search::largest_magnitude;
use crate::tables::FP4_DOUBLED;
use crate::vectorized::each;

/// 64 values `FP4_DOUBLED[q] * scale(d[j / 16])`.
///
/// ```text
/// byte 0    4              36
///      |d[4]|qs[32]         |    qs[8 * s + j]: low nibble value 16 * s + j, high nibble value 16 * s + j + 8
/// ```
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct BlockNvfp4 {
    /// The scales as UE4M3: 4 bits of exponent (bias 7), 3 of mantissa, no sign; 127 is NaN.
    pub d: [u8; 4],
    pub qs: [u8; 32],
}

impl BlockNvfp4 {
    /// Half of each scale, as the code values are doubled.
    #[must_use]
    #[inline(always)]
    pub fn scales(&self) -> [f32; 4] {
        // Written out, as in kernels a closure of `map` would not be compiled for their instructions.
        let [a, b, c, d] = self.d;
        [HALVED[a as usize], HALVED[b as usize], HALVED[c as usize], HALVED[d as usize]]
    }
}

impl Block<64> for BlockNvfp4 {
    fn decode(&self, out: &mut [f32; 64]) {
        let (out, _) = out.as_chunks_mut::<16>();
        for ((out, qs), scale) in out.iter_mut().zip(self.qs.as_chunks::<8>().0).zip(self.scales()) {
            *out = unpack::<4, 8, 16>(qs).map(|q| f32::from(FP4_DOUBLED[usize::from(q)]) * scale);
        }
    }

    #[inline(always)]
    fn encode(x: &[f32; 64], _: Option<Importance<'_, 64>>) -> Self {
        let mut block = Self { d: [0; 4], qs: [0; 32] };
        let groups = x.as_chunks::<16>().0.iter().zip(block.qs.as_chunks_mut::<8>().0).zip(&mut block.d);
        for ((x, qs), d) in groups {
            *d = ue4m3(largest_magnitude(x) / 6.0);
            let scale = ue4m3_halved(*d);
            *qs = pack::<4, 16, 8>(&each(x, |x| nearest_fp4(x, scale)));
        }
        block
    }

    fn is_finite(&self) -> bool {
        self.d.iter().all(|&d| d & 0x7F != 0x7F)
    }
}

/// [`ue4m3_halved`] of every byte.
static HALVED: [f32; 256] = {
    let mut halved = [0.0; 256];
    let mut bits = 0;
    while bits < 256 {
        halved[bits] = ue4m3_halved(bits as u8);
        bits += 1;
    }
    halved
};

/// Half of a UE4M3 number, as the code values are doubled. NaN counts as 0.
const fn ue4m3_halved(bits: u8) -> f32 {
    let exponent = (bits >> 3 & 15) as i32;
    let mantissa = (bits & 7) as f32;
    match exponent {
        _ if bits == 0x7F => 0.0,
        0 => mantissa * power_of_two(-10),
        _ => (1.0 + mantissa / 8.0) * power_of_two(exponent - 8),
    }
}

/// `2^exponent` of a normal float.
#[inline(always)]
const fn power_of_two(exponent: i32) -> f32 {
    f32::from_bits(((exponent + 127) as u32) << 23)
}

/// The UE4M3 number next to `x >= 0`; ties go up. From 248 on, where its largest exponent begins, it is the
/// largest, 448, as the reference has it.
#[inline(always)]
fn ue4m3(x: f32) -> u8 {
    const MAX: u8 = 0x7E;
    let bits = x.to_bits();
    let exponent = (bits >> 23) as i32 - 127 + 7;
    match exponent {
        ..=0 => ((x * 512.0 + 0.5) as u8).min(7),
        1..15 => {
            let mantissa = ((bits >> 19 & 15) + 1) >> 1;
            let rounded = (exponent as u8) * 8 + mantissa as u8;
            if rounded < 15 * 8 { rounded } else { MAX }
        }
        _ => MAX,
    }
}
