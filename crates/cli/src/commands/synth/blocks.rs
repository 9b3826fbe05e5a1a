//! Random weights of any type, fast: a pool of values is encoded once, and tensors are drawn from it.

use anyhow::Result;
use quant::{DType, encode};

/// Values that are encoded and drawn together: whole blocks of every type.
const UNIT: usize = 256;
/// Units of the pool. Slow to encode are the codebook types.
const N_UNITS: usize = 512;
/// Standard deviation of the weights: what keeps activations of the shapes at about their size.
const DEVIATION: f32 = 0.02;
/// Bytes handed out at once, about.
const PIECE: usize = 1 << 20;

/// Encoded units of one type.
pub(super) struct Blocks {
    dtype: DType,
    unit_bytes: usize,
    units: Vec<u8>,
}

impl Blocks {
    pub(super) fn new(dtype: DType, seed: u64) -> Result<Self> {
        let mut rng = SplitMix(seed);
        let values: Vec<f32> = (0..UNIT * N_UNITS).map(|_| DEVIATION * rng.normal()).collect();
        let importance = [1.0; UNIT];
        let importance = dtype.needs_importance().then_some(&importance[..]);
        let unit_bytes = UNIT / dtype.block_len() * dtype.block_bytes();
        let mut units = vec![0; unit_bytes * N_UNITS];
        encode(dtype, &values, UNIT, importance, &mut units)?;
        Ok(Self { dtype, unit_bytes, units })
    }

    pub(super) fn dtype(&self) -> DType {
        self.dtype
    }

    /// Gives `write` the bytes of a tensor of `n` values, a multiple of 256, piece by piece.
    pub(super) fn fill(&self, n: usize, seed: u64, mut write: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let mut rng = SplitMix(seed);
        let mut left = n / UNIT;
        let mut piece = Vec::with_capacity(PIECE + self.unit_bytes);
        while left > 0 {
            piece.clear();
            while left > 0 && piece.len() < PIECE {
                let unit = (rng.next() >> 32) as usize % N_UNITS;
                piece.extend_from_slice(&self.units[unit * self.unit_bytes..][..self.unit_bytes]);
                left -= 1;
            }
            write(&piece)?;
        }
        Ok(())
    }
}

/// Steele, Lea and Flood's generator.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// About normal, of deviation 1: a sum of twelve uniform values.
    fn normal(&mut self) -> f32 {
        (0..12).map(|_| (self.next() >> 40) as f32 / (1u64 << 24) as f32).sum::<f32>() - 6.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_gives_finite_weights_of_sane_size() {
        for &dtype in DType::ALL.iter().filter(|t| t.is_quantized()) {
            let blocks = Blocks::new(dtype, 7).expect("every type encodes");
            let (mut bytes, n) = (Vec::new(), 4 * UNIT);
            blocks
                .fill(n, 1, |piece| {
                    bytes.extend_from_slice(piece);
                    Ok(())
                })
                .expect("memory takes it");
            let mut values = vec![0.0; n];
            quant::decode(dtype, &bytes, &mut values).expect("whole blocks");
            let square = values.iter().map(|v| v * v).sum::<f32>() / n as f32;
            let deviation = square.sqrt() / DEVIATION;
            assert!((0.5..2.0).contains(&deviation), "{dtype}: {deviation}");
        }
    }
}
