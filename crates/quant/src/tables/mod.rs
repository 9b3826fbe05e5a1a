//! Codebooks and value tables shared by formats and kernels. Facts of the file formats; no algorithms.

pub(crate) mod iq1;
pub(crate) mod iq2;
pub(crate) mod iq3;

/// The 16 levels of `IQ4_NL` and `IQ4_XS`.
pub const IQ4_LEVELS: [i8; 16] = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

/// The 16 values of FP4 (E2M1), doubled so that they are integers. Source: OCP Microscaling Formats 1.0.
pub const FP4_DOUBLED: [i8; 16] = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12];

/// What the IQ1 formats add to, or subtract from, every codebook value of a group.
pub const IQ1_DELTA: f32 = 0.125;

/// Codebook of `IQ2_XXS`: 8 magnitudes an entry, the first in the lowest byte.
pub static IQ2XXS_GRID: [u64; 256] = grid8(&iq2::IQ2XXS, [8, 25, 43]);
/// Codebook of `IQ2_XS`: 8 magnitudes an entry, the first in the lowest byte.
pub static IQ2XS_GRID: [u64; 512] = grid8(&iq2::IQ2XS, [8, 25, 43]);
/// Codebook of `IQ2_S`: 8 magnitudes an entry, the first in the lowest byte.
pub static IQ2S_GRID: [u64; 1024] = grid8(&iq2::IQ2S, [8, 25, 43]);
/// Codebook of `IQ3_XXS`: 4 magnitudes an entry, the first in the lowest byte.
pub static IQ3XXS_GRID: [u32; 256] = grid4(&iq3::IQ3XXS, [4, 12, 20, 28, 36, 44, 52, 62]);
/// Codebook of `IQ3_S`: 4 magnitudes an entry, the first in the lowest byte.
pub static IQ3S_GRID: [u32; 512] = grid4(&iq3::IQ3S, [1, 3, 5, 7, 9, 11, 13, 15]);
/// Codebook of `IQ1_S` and `IQ1_M`: 8 values of -1, 0 or 1 (`i8`) an entry, the first in the lowest byte.
pub static IQ1S_GRID: [u64; 2048] = grid8(&iq1::IQ1S, [0xFF, 0, 1]);

/// The sign mask of 8 values (bit `i` set: value `i` is negative) of each 7-bit index: the number of minus
/// signs is even, so the eighth follows from the others.
pub static EVEN_SIGNS: [u8; 128] = {
    let mut masks = [0; 128];
    let mut index = 0;
    while index < 128 {
        let parity = (index as u8).count_ones() as u8 & 1;
        masks[index] = index as u8 | parity << 7;
        index += 1;
    }
    masks
};

/// Spells out codes of 8 two-bit coordinates as 8 bytes.
const fn grid8<const N: usize>(codes: &[u16; N], levels: [u8; 3]) -> [u64; N] {
    let mut grid = [0; N];
    let mut i = 0;
    while i < N {
        let mut bytes = [0; 8];
        let mut k = 0;
        while k < 8 {
            bytes[k] = levels[(codes[i] >> (2 * k) & 3) as usize];
            k += 1;
        }
        grid[i] = u64::from_le_bytes(bytes);
        i += 1;
    }
    grid
}

/// Spells out codes of 4 three-bit coordinates as 4 bytes.
const fn grid4<const N: usize>(codes: &[u16; N], levels: [u8; 8]) -> [u32; N] {
    let mut grid = [0; N];
    let mut i = 0;
    while i < N {
        let mut bytes = [0; 4];
        let mut k = 0;
        while k < 4 {
            bytes[k] = levels[(codes[i] >> (3 * k) & 7) as usize];
            k += 1;
        }
        grid[i] = u32::from_le_bytes(bytes);
        i += 1;
    }
    grid
}
