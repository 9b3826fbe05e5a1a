//! The types without blocks of their own format: `F32`, `F64` and the integers, each value its own block.

use bytemuck::{Pod, Zeroable};

use crate::block::{Block, Importance};

macro_rules! plain {
    ($($name:ident = $scalar:ty, $bytes:literal, $to_f32:expr, $from_f32:expr, $is_finite:expr;)*) => {$(
        #[doc = concat!("One little-endian `", stringify!($scalar), "`, at any alignment.")]
        #[derive(Debug, Clone, Copy, Pod, Zeroable)]
        #[repr(transparent)]
        pub struct $name(pub [u8; $bytes]);

        impl Block<1> for $name {
            fn decode(&self, out: &mut [f32; 1]) {
                let to_f32: fn($scalar) -> f32 = $to_f32;
                *out = [to_f32(<$scalar>::from_le_bytes(self.0))];
            }

            #[inline(always)]
            fn encode(&[x]: &[f32; 1], _: Option<Importance<'_, 1>>) -> Self {
                let from_f32: fn(f32) -> $scalar = $from_f32;
                Self(from_f32(x).to_le_bytes())
            }

            fn is_finite(&self) -> bool {
                let is_finite: fn($scalar) -> bool = $is_finite;
                is_finite(<$scalar>::from_le_bytes(self.0))
            }
        }
    )*};
}

plain! {
    BlockF32 = f32, 4, |x| x, |x| x, f32::is_finite;
    BlockF64 = f64, 8, |x| x as f32, f64::from, f64::is_finite;
    BlockI8 = i8, 1, f32::from, |x| x.round_ties_even() as i8, |_| true;
    BlockI16 = i16, 2, f32::from, |x| x.round_ties_even() as i16, |_| true;
    BlockI32 = i32, 4, |x| x as f32, |x| x.round_ties_even() as i32, |_| true;
    BlockI64 = i64, 8, |x| x as f32, |x| x.round_ties_even() as i64, |_| true;
}
