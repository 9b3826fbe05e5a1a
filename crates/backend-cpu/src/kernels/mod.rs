//! Matrix kernels as pure functions over slices: no thread, no graph, no allocation.
//!
//! [`Kernels`] is chosen once and copied freely. Two classes multiply matrices: *dot* streams each weight row
//! once for a few tokens; *tile* unpacks panels of rows and reuses them for many.

pub(crate) mod attention;
mod dot;
mod float;
mod format;
mod formats;
mod out;
mod tile;
mod vector;

use std::{marker::PhantomData, ops::Range};

pub use out::Out;
use quant::DType;
pub use tile::Scratch;
pub use vector::Activation;
pub(crate) use vector::IDENTITY_FROM;

use crate::{
    isa::{self, Isa, Kernel, Kind},
    quantize::{BlockQ8, Quantize, Rounding},
};

#[cfg(test)]
mod tests;

/// Runs a kernel on the format of a type: `$float` with the floats as `$F`, `$quantized` with the others.
macro_rules! for_format {
    ($dtype:expr, $F:ident => $float:expr, $quantized:expr) => {
        for_format!($dtype, $F => $float, $quantized, [F32 => F32, F16 => F16, BF16 => Bf16], [
            Q4_0 => Q4_0, Q4_1 => Q4_1, Q5_0 => Q5_0, Q5_1 => Q5_1, Q8_0 => Q8_0,
            Q2_K => Q2K, Q3_K => Q3K, Q4_K => Q4K, Q5_K => Q5K, Q6_K => Q6K,
            IQ4_NL => Iq4Nl, IQ4_XS => Iq4Xs, MXFP4 => Mxfp4, NVFP4 => Nvfp4,
            TQ1_0 => Tq1_0, TQ2_0 => Tq2_0, Q1_0 => Q1_0, Q2_0 => Q2_0,
            IQ1_S => Iq1S, IQ1_M => Iq1M, IQ2_XXS => Iq2Xxs, IQ2_XS => Iq2Xs, IQ2_S => Iq2S,
            IQ3_XXS => Iq3Xxs, IQ3_S => Iq3S
        ])
    };
    ($dtype:expr, $F:ident => $float:expr, $quantized:expr,
     [$($float_name:ident => $float_format:ident),*], [$($name:ident => $format:ident),*]) => {
        match $dtype {
            $(DType::$float_name => {
                type $F = float::$float_format;
                $float
            })*
            $(DType::$name => {
                type $F = formats::$format;
                $quantized
            })*
            dtype => panic!("{dtype} is not a type of weights"),
        }
    };
}

#[cfg(test)]
use for_format;

/// What weights are multiplied with: tokens, one row of `n` values after the other.
#[derive(Clone, Copy, Debug)]
pub enum Activations<'a> {
    /// For float weights: `n` values a token.
    Float(&'a [f32]),
    /// For quantized weights: `n.div_ceil(256)` blocks a token, made by [`Kernels::quantize_row`].
    Quantized(&'a [BlockQ8]),
}

impl<'a> Activations<'a> {
    fn float(self) -> &'a [f32] {
        match self {
            Self::Float(x) => x,
            Self::Quantized(_) => panic!("float weights take float activations"),
        }
    }

    fn quantized(self) -> &'a [BlockQ8] {
        match self {
            Self::Quantized(x) => x,
            Self::Float(_) => panic!("quantized weights take quantized activations"),
        }
    }
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
    #[cfg(target_arch = "aarch64")]
    Neon(isa::neon::Neon<false>),
    #[cfg(target_arch = "aarch64")]
    NeonDot(isa::neon::Neon<true>),
    #[cfg(target_arch = "aarch64")]
    NeonI8mm(isa::neon::Neon<true, true>),
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
        let row_bytes = dtype.row_bytes(n).filter(|&bytes| bytes > 0);
        let row_bytes = row_bytes.unwrap_or_else(|| panic!("{dtype} rows of {n} values"));
        assert!(data.len().is_multiple_of(row_bytes), "{} bytes for rows of {row_bytes}", data.len());
        Self { dtype, data, n, row_bytes }
    }

    #[inline(always)]
    fn row(&self, row: usize) -> &'a [u8] {
        &self.data[row * self.row_bytes..(row + 1) * self.row_bytes]
    }

    /// The row and all that follow it.
    #[inline(always)]
    fn tail_from(&self, row: usize) -> &'a [u8] {
        &self.data[row * self.row_bytes..]
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
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => isa::neon::Neon::detect().map(|isa| Self(Proof::Neon(isa))),
            #[cfg(target_arch = "aarch64")]
            Kind::NeonDot => isa::neon::Neon::detect().map(|isa| Self(Proof::NeonDot(isa))),
            #[cfg(target_arch = "aarch64")]
            Kind::NeonI8mm => isa::neon::Neon::detect().map(|isa| Self(Proof::NeonI8mm(isa))),
            _ => None,
        }
    }

    /// Whether these kernels are the definition.
    pub(crate) fn is_scalar(self) -> bool {
        matches!(self.0, Proof::Scalar(_))
    }

    #[inline]
    fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self.0 {
            Proof::Scalar(isa) => isa.vectorize(kernel),
            #[cfg(target_arch = "x86_64")]
            Proof::Avx2(isa) => isa.vectorize(kernel),
            #[cfg(target_arch = "x86_64")]
            Proof::Avx512(isa) => isa.vectorize(kernel),
            #[cfg(target_arch = "aarch64")]
            Proof::Neon(isa) => isa.vectorize(kernel),
            #[cfg(target_arch = "aarch64")]
            Proof::NeonDot(isa) => isa.vectorize(kernel),
            #[cfg(target_arch = "aarch64")]
            Proof::NeonI8mm(isa) => isa.vectorize(kernel),
        }
    }

    /// Quantizes a row of activations for the integer kernels.
    pub fn quantize_row(self, rounding: Rounding, x: &[f32], out: &mut [BlockQ8]) {
        self.run(Quantize { rounding, x, out });
    }

    /// `out[row, t] = weights[row] · x[t]` for few tokens.
    pub fn dot(self, weights: Weights<'_>, x: Activations<'_>, rows: Range<usize>, out: &mut Out<'_>) {
        for_format!(
            weights.dtype,
            F => self.run(float::Dot::<F> { weights, x: x.float(), rows, out, float: PhantomData }),
            self.run(dot::Dot::<F> { weights, x: x.quantized(), rows, out, format: PhantomData })
        );
    }

    /// Up to how many tokens [`Self::dot`] is faster than [`Self::tile`].
    pub fn dot_tokens(self, dtype: DType) -> usize {
        for_format!(dtype, F => float::Dot::<F>::MAX_TOKENS, self.run(dot::DotTokens::<F>(PhantomData)))
    }

    /// As [`Self::dot`], for many tokens. Rows are best given in multiples of [`PANEL`].
    pub fn tile(
        self,
        weights: Weights<'_>,
        x: Activations<'_>,
        rows: Range<usize>,
        out: &mut Out<'_>,
        scratch: &mut Scratch,
    ) {
        let Scratch { codes, floats } = scratch;
        for_format!(
            weights.dtype,
            F => self.run(float::Tile::<F> { weights, x: x.float(), rows, out, panel: floats, float: PhantomData }),
            self.run(tile::Tile::<F> { weights, x: x.quantized(), rows, out, work: codes, format: PhantomData })
        );
    }
}

/// Rows that the tile kernels take at a time, on any ISA.
pub const PANEL: usize = 32;
