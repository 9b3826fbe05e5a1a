//! Super-blocks of 256 values in groups, whose scales (and minimums) are themselves codes of a shared scale.

use super::{Affine, AffineSearch, largest_positive, nearest_int, search_positive, sum_of_squares, weights};
use crate::block::{F16, Importance};
use crate::vectorized::each;

/// How a format of `x = d * scale * code - dmin * min` is searched.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AffineFormat<const L: usize> {
    /// The search where no importance is known, and its weights.
    pub(crate) plain: AffineSearch,
    pub(crate) plain_weights: fn(&[f32; L]) -> [f32; L],
    /// How much the mean square of the block softens the weights.
    pub(crate) sigma: f32,
    /// The largest code of scales and minimums.
    pub(crate) scale_max: u8,
}

/// An encoded super-block of `G` groups.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AffineBlock<const G: usize> {
    pub(crate) d: F16,
    pub(crate) dmin: F16,
    pub(crate) scales: [u8; G],
    pub(crate) mins: [u8; G],
    pub(crate) codes: [u8; 256],
}

impl<const L: usize> AffineFormat<L> {
    /// Encodes `G` groups of `L` values.
    #[inline(always)]
    pub(crate) fn encode<const G: usize>(
        &self,
        x: &[f32; 256],
        importance: Option<Importance<'_, 256>>,
    ) -> AffineBlock<G> {
        const { assert!(G * L == 256) };
        let (groups, _) = x.as_chunks::<L>();
        let mut codes = [0; 256];
        let (mut scales, mut mins) = ([0.0; G], [0.0; G]);
        let mut keep = |g: usize, found: Affine<L>, codes: &mut [u8; L]| {
            (scales[g], mins[g], *codes) = (found.scale, found.min, found.codes);
        };
        let ((d, scales), (dmin, mins)) = match importance {
            None => {
                for (g, (x, codes)) in groups.iter().zip(codes.as_chunks_mut().0).enumerate() {
                    keep(g, self.plain.run(x, &(self.plain_weights)(x)), codes);
                }
                (fractions(&scales, self.scale_max), fractions(&mins, self.scale_max))
            }
            Some(importance) => {
                let sigma2 = self.sigma * sum_of_squares(x) / 256.0;
                let search = AffineSearch::weighted(self.plain.n_max);
                let (importance, _) = importance.values.as_chunks::<L>();
                let mut sums = [0.0; G];
                for (g, (x, codes)) in groups.iter().zip(codes.as_chunks_mut().0).enumerate() {
                    let weights = weights(x, &importance[g], sigma2);
                    sums[g] = weights.iter().sum();
                    keep(g, search.run(x, &weights), codes);
                }
                let max = i32::from(self.scale_max);
                (search_positive(&scales, &sums, max), search_positive(&mins, &sums, max))
            }
        };
        let mut block = AffineBlock { d: F16::from_f32(d), dmin: F16::from_f32(dmin), scales, mins, codes };
        self.round(groups, &mut block);
        block
    }

    /// Chooses the codes anew for the scales and minimums as stored; a group of scale 0 keeps its codes.
    #[inline(always)]
    fn round<const G: usize>(&self, groups: &[[f32; L]], block: &mut AffineBlock<G>) {
        let (d, dmin) = (block.d.to_f32(), block.dmin.to_f32());
        for (g, (x, codes)) in groups.iter().zip(block.codes.as_chunks_mut::<L>().0).enumerate() {
            let scale = d * f32::from(block.scales[g]);
            let min = dmin * f32::from(block.mins[g]);
            if scale != 0.0 {
                *codes = each(x, |x| nearest_int((x + min) / scale).clamp(0, self.plain.n_max as i32) as u8);
            }
        }
    }
}

/// Codes that map the largest of `x` to `max`, and their scale.
#[inline(always)]
fn fractions<const G: usize>(x: &[f32; G], max: u8) -> (f32, [u8; G]) {
    let largest = largest_positive(x);
    if largest <= 0.0 {
        return (0.0, [0; G]);
    }
    let inverse = f32::from(max) / largest;
    (largest / f32::from(max), each(x, |x| (nearest_int(inverse * x) as u8).min(max)))
}

/// Codes of `x = scale * (code - n_max)` for a scale as stored; a group of scale 0 keeps its codes.
#[inline(always)]
pub(crate) fn round_to_scale(x: &[f32; 16], scale: f32, n_max: i32, codes: &mut [u8; 16]) {
    if scale != 0.0 {
        *codes = each(x, |x| (nearest_int(x / scale).clamp(-n_max, n_max - 1) + n_max) as u8);
    }
}
