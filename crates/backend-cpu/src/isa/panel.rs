//! What the tile steps of an ISA work on: a panel of unpacked weights, and activations made ready for it; and these
//! steps by sub-blocks, for an ISA whose products of bytes are sums of 32 bits.

use bytemuck::Zeroable;

use super::{Isa, Packing};
use crate::quantize::BlockQ8;

/// 256 values of 16 rows.
#[derive(Clone, Copy, Debug, Zeroable)]
#[repr(C, align(64))]
pub(crate) struct PanelSpan {
    /// Steps of 4 codes of each row, in one vector or, with [`Isa::has_numbers`], in two; ordered by [`Isa::interleave`].
    pub(crate) codes: [[u8; 64]; 128],
    /// Scales of the rows for each sub-block, each [`Isa::repeats`] times; with [`Packing::STEPS`] the bits of
    /// [`Isa::pairs`] of each with itself.
    pub(crate) scales: [[f32; 16]; 16],
    /// Minima, negated; with [`Packing::STEPS`] the bits of [`Isa::pairs`] of those of two neighbouring sub-blocks.
    pub(crate) mins: [[f32; 16]; 16],
    /// With [`Packing::STEPS`]: what the rows' scales are multiples of, and their minima, negated.
    pub(crate) units: [[f32; 16]; 2],
}

/// What an ISA makes of 256 activations once, for all the rows that they are multiplied with.
#[derive(Clone, Copy, Debug, Zeroable)]
#[repr(C, align(64))]
pub(crate) struct Ready {
    /// The activations as bytes or numbers of 16 bits.
    pub(crate) values: [[u8; 64]; 8],
    /// A scale for each sum that is made in one go.
    pub(crate) scales: [f32; 16],
    /// Where these sums begin: with what offsets take away.
    pub(crate) starts: [i32; 16],
}

/// 256 activations of each of `T` tokens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tokens<'a, const T: usize> {
    pub(crate) x: [&'a BlockQ8; T],
    /// What [`Isa::ready`] made of them.
    pub(crate) ready: &'a [Ready; T],
}

/// An ISA that multiplies a sub-block at a time.
pub(crate) trait SubBlocks: Isa {
    /// `V` vectors of 16 interleaved rows times `T` tokens over the `4 * S` values from `4 * S * at` on, less what
    /// offsets add.
    fn dots<P: Packing, const S: usize, const T: usize, const V: usize>(
        self,
        spans: &[PanelSpan; V],
        x: Tokens<'_, T>,
        at: usize,
    ) -> [[Self::I32; T]; V];

    /// `sums + dots * steps`, the steps of rows being [`Isa::pairs`] of twice the same.
    fn add_times(self, sums: Self::I32, dots: Self::I32, steps: Self::Bytes) -> Self::I32;
}

/// The methods of an [`Isa`] that has [`SubBlocks`].
macro_rules! multiply_by_sub_blocks {
    () => {
        #[inline(always)]
        fn multiply<P: Packing, const T: usize, const V: usize>(
            self,
            spans: &[PanelSpan; V],
            x: Tokens<'_, T>,
            n_groups: usize,
            sums: &mut [[Self::F32; T]; V],
        ) {
            panel::multiply::<Self, P, T, V>(self, spans, x, n_groups, sums);
        }
        #[inline(always)]
        fn multiply_steps<P: Packing, const T: usize, const V: usize>(
            self,
            spans: &[PanelSpan; V],
            x: Tokens<'_, T>,
        ) -> [[Self::I32; T]; V] {
            panel::multiply_steps::<Self, P, T, V>(self, spans, x)
        }
    };
}
pub(super) use multiply_by_sub_blocks;

/// [`Isa::multiply`] by sub-blocks.
#[inline(always)]
pub(crate) fn multiply<I: SubBlocks, P: Packing, const T: usize, const V: usize>(
    isa: I,
    spans: &[PanelSpan; V],
    x: Tokens<'_, T>,
    n_groups: usize,
    sums: &mut [[I::F32; T]; V],
) {
    if P::HALVES {
        (0..2 * n_groups).for_each(|sub| add_sub_block::<I, P, 4, T, V>(isa, spans, x, sub, sums));
    } else {
        (0..n_groups).for_each(|group| add_sub_block::<I, P, 8, T, V>(isa, spans, x, group, sums));
    }
}

#[inline(always)]
fn add_sub_block<I: SubBlocks, P: Packing, const S: usize, const T: usize, const V: usize>(
    isa: I,
    spans: &[PanelSpan; V],
    x: Tokens<'_, T>,
    at: usize,
    sums: &mut [[I::F32; T]; V],
) {
    let dots = isa.dots::<P, S, T, V>(spans, x, at);
    for v in 0..V {
        for t in 0..T {
            let scale = isa.mul(isa.load(&spans[v].scales[at]), isa.splat(x.x[t].d[S * at / 8]));
            sums[v][t] = isa.fma(isa.to_f32(dots[v][t]), scale, sums[v][t]);
        }
    }
}

/// [`Isa::multiply_steps`] by sub-blocks.
#[inline(always)]
pub(crate) fn multiply_steps<I: SubBlocks, P: Packing, const T: usize, const V: usize>(
    isa: I,
    spans: &[PanelSpan; V],
    x: Tokens<'_, T>,
) -> [[I::I32; T]; V] {
    let mut sums = [[isa.splat_i32(0); T]; V];
    for sub in 0..if P::HALVES { 16 } else { 8 } {
        let dots = if P::HALVES {
            isa.dots::<P, 4, T, V>(spans, x, sub)
        } else {
            isa.dots::<P, 8, T, V>(spans, x, sub)
        };
        for v in 0..V {
            let steps = isa.load_bytes(bytemuck::cast_ref(&spans[v].scales[sub]));
            for t in 0..T {
                sums[v][t] = isa.add_times(sums[v][t], dots[v][t], steps);
            }
        }
    }
    sums
}
