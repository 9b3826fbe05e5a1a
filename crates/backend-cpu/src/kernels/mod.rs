//! Matrix kernels as pure functions over slices: no thread, no graph, no allocation.
//!
//! [`Kernels`] is chosen once and copied freely. Two classes multiply matrices: *dot* streams each weight row
//! once for a few tokens; *tile* unpacks panels of rows and reuses them for many.

mod dot;
mod dtype;
mod format;
mod formats;
mod out;
mod tile;

use std::{marker::PhantomData, ops::Range};

pub use dtype::DType;
pub use out::Out;
pub use tile::Scratch;

use crate::{
    isa::{self, Isa, Kernel, Kind},
    quantize::{BlockQ8, Quantize},
};

#[cfg(test)]
mod tests;

/// Evaluates an expression with `$f` as the format of a type.
macro_rules! for_format {
    ($dtype:expr, $f:ident => $do:expr) => {
        for_format!($dtype, $f => $do, Q4_0 => Q4_0, Q4_1 => Q4_1, Q5_0 => Q5_0, Q5_1 => Q5_1, Q8_0 => Q8_0, Q4K => Q4K)
    };
    ($dtype:expr, $f:ident => $do:expr, $($name:ident => $format:ident),*) => {
        match $dtype {
            $(DType::$name => {
                type $f = formats::$format;
                $do
            })*
        }
    };
}

/// The kernels of one instruction set that this machine has.
#[derive(Clone, Copy, Debug)]
pub struct Kernels(Proof);

#[derive(Clone, Copy, Debug)]
enum Proof {
    Scalar(isa::scalar::Scalar),
    #[cfg(target_arch = "x86_64")]
    Avx2(isa::avx2::Avx2),
    #[cfg(target_arch = "x86_64")]
    Avx512(isa::avx512::Avx512),
}

/// A matrix of weights `[n, n_rows]`: rows of `n` values, one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Weights<'a> {
    dtype: DType,
    data: &'a [u8],
    n: usize,
    row_bytes: usize,
}

impl<'a> Weights<'a> {
    /// The matrix in `data`, which must hold whole rows of `n` values.
    pub fn new(dtype: DType, data: &'a [u8], n: usize) -> Self {
        let row_bytes = n / dtype.block_len() * dtype.block_bytes();
        assert!(n > 0 && n.is_multiple_of(dtype.block_len()), "{dtype:?} rows of {n} values");
        assert!(data.len().is_multiple_of(row_bytes), "{} bytes for rows of {row_bytes}", data.len());
        Self { dtype, data, n, row_bytes }
    }

    #[inline(always)]
    fn row(&self, row: usize) -> &'a [u8] {
        &self.data[row * self.row_bytes..(row + 1) * self.row_bytes]
    }
}

impl Kernels {
    /// The fastest kernels that run here.
    pub fn best() -> Self {
        let found = Kind::ALL.into_iter().rev().find_map(Self::for_isa);
        found.expect("the scalar kernels run everywhere")
    }

    /// The kernels of `kind`, if this machine can run them.
    pub fn for_isa(kind: Kind) -> Option<Self> {
        match kind {
            Kind::Scalar => Some(Self(Proof::Scalar(isa::scalar::Scalar))),
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => isa::avx2::Avx2::detect().map(|isa| Self(Proof::Avx2(isa))),
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => isa::avx512::Avx512::detect().map(|isa| Self(Proof::Avx512(isa))),
            #[cfg(not(target_arch = "x86_64"))]
            Kind::Avx2 | Kind::Avx512 => None,
        }
    }

    #[inline]
    fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self.0 {
            Proof::Scalar(isa) => isa.vectorize(kernel),
            #[cfg(target_arch = "x86_64")]
            Proof::Avx2(isa) => isa.vectorize(kernel),
            #[cfg(target_arch = "x86_64")]
            Proof::Avx512(isa) => isa.vectorize(kernel),
        }
    }

    /// Quantizes a row of activations for the integer kernels.
    pub fn quantize_row(self, x: &[f32], out: &mut [BlockQ8]) {
        self.run(Quantize { x, out });
    }

    /// `out[row, t] = weights[row] · x[t]` for few tokens.
    pub fn dot(self, weights: Weights<'_>, x: &[BlockQ8], rows: Range<usize>, out: &mut Out<'_>) {
        for_format!(weights.dtype, F => self.run(dot::Dot::<F> { weights, x, rows, out, format: PhantomData }));
    }

    /// As [`Self::dot`], for many tokens. Rows are best given in multiples of [`PANEL`].
    pub fn tile(
        self,
        weights: Weights<'_>,
        x: &[BlockQ8],
        rows: Range<usize>,
        out: &mut Out<'_>,
        scratch: &mut Scratch,
    ) {
        for_format!(weights.dtype, F => self.run(tile::Tile::<F> { weights, x, rows, out, scratch, format: PhantomData }));
    }
}

/// Rows that the tile kernels take at a time, on any ISA.
pub const PANEL: usize = 32;

