//! The interface of a block format, and the little-endian scalars its structs are made of.

use bytemuck::{Pod, Zeroable};

use crate::search::sum_of_squares;

/// How much the errors of a block's values matter.
#[derive(Debug, Clone, Copy)]
pub struct Importance<'a, const N: usize> {
    /// Of each value: the mean square of the activations it is multiplied by, or any other measure.
    pub values: &'a [f32; N],
    /// The mean of the squares of all values of the row.
    pub row_mean_square: f32,
}

impl<'a, const N: usize> Importance<'a, N> {
    /// The values of each group of `L`.
    #[inline(always)]
    pub(crate) fn groups<const L: usize>(self) -> &'a [[f32; L]] {
        self.values.as_chunks().0
    }
}

/// One block of a format: `N` consecutive values of a row.
pub trait Block<const N: usize>: Pod {
    /// Whether the format is so coarse that `encode` is of no use without importance.
    const NEEDS_IMPORTANCE: bool = false;

    /// The values the block stands for. This is the definition of the format.
    fn decode(&self, out: &mut [f32; N]);

    /// The block that stands for `x` as closely as the format's search finds, where every `x` is finite.
    ///
    /// With `importance`, errors of important values count more; formats that have nothing to choose ignore it.
    fn encode(x: &[f32; N], importance: Option<Importance<'_, N>>) -> Self;

    /// Whether every scale (of a plain type: the value) is finite.
    fn is_finite(&self) -> bool;

    /// Decodes a row; `out` holds `N` values for each block.
    fn decode_row(blocks: &[Self], out: &mut [f32]) {
        for (block, out) in blocks.iter().zip(out.as_chunks_mut::<N>().0) {
            block.decode(out);
        }
    }

    /// Encodes a row; `x` and `importance` hold `N` values for each block.
    #[inline(always)]
    fn encode_row(x: &[f32], importance: Option<&[f32]>, blocks: &mut [Self]) {
        let values = importance.map(|importance| importance.as_chunks::<N>().0);
        let row_mean_square = match importance {
            Some(_) => sum_of_squares(x) / x.len() as f32,
            None => 0.0,
        };
        for (i, (block, x)) in blocks.iter_mut().zip(x.as_chunks::<N>().0).enumerate() {
            let importance = values.map(|values| Importance { values: &values[i], row_mean_square });
            *block = Self::encode(x, importance);
        }
    }
}

macro_rules! little_endian {
    ($($(#[$doc:meta])* $name:ident = $scalar:ty, $bytes:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
        #[repr(transparent)]
        pub struct $name([u8; $bytes]);

        impl $name {
            #[must_use]
            pub const fn new(value: $scalar) -> Self {
                Self(value.to_le_bytes())
            }

            #[must_use]
            pub const fn get(self) -> $scalar {
                <$scalar>::from_le_bytes(self.0)
            }
        }
    )*};
}

little_endian! {
    /// A `u16` of a file: little endian, alignment 1.
    U16 = u16, 2;
    /// An `i16` of a file: little endian, alignment 1.
    I16 = i16, 2;
    /// An `f32` of a file: little endian, alignment 1.
    F32 = f32, 4;
}

/// An IEEE half of a file: little endian, alignment 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(transparent)]
pub struct F16([u8; 2]);

impl F16 {
    #[must_use]
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits.to_le_bytes())
    }

    #[must_use]
    pub const fn to_bits(self) -> u16 {
        u16::from_le_bytes(self.0)
    }

    /// Rounds to nearest, ties to even.
    #[must_use]
    #[inline(always)]
    pub fn from_f32(value: f32) -> Self {
        Self::from_bits(half::f16::from_f32_const(value).to_bits())
    }

    #[must_use]
    pub fn to_f32(self) -> f32 {
        half::f16::from_bits(self.to_bits()).to_f32()
    }

    #[must_use]
    pub const fn is_finite(self) -> bool {
        half::f16::from_bits(self.to_bits()).is_finite()
    }
}
