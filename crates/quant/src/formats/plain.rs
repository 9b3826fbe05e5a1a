//! The types without blocks of their own format: `F32`, `F64` and the integers, each value its own block.

use bytemuck::{Pod, Zeroable};

use crate::block::Block;

macro_rules! plain {
    ($($name:ident = $scalar:ty, $bytes:literal, $to_f32:expr, $is_finite:expr;)*) => {$(
        #[doc = concat!("One little-endian `", stringify!($scalar), "`, at any alignment.")]
        #[derive(Debug, Clone, Copy, Pod, Zeroable)]
        #[repr(transparent)]
        pub struct $name(pub [u8; $bytes]);

        impl Block<1> for $name {
            fn decode(&self, out: &mut [f32; 1]) {
                let to_f32: fn($scalar) -> f32 = $to_f32;
                *out = [to_f32(<$scalar>::from_le_bytes(self.0))];
            }

            fn is_finite(&self) -> bool {
                let is_finite: fn($scalar) -> bool = $is_finite;
                is_finite(<$scalar>::from_le_bytes(self.0))
            }
        }
    )*};
}

plain! {
    BlockF32 = f32, 4, |x| x, f32::is_finite;
    BlockF64 = f64, 8, |x| x as f32, f64::is_finite;
    BlockI8 = i8, 1, f32::from, |_| true;
    BlockI16 = i16, 2, f32::from, |_| true;
    BlockI32 = i32, 4, |x| x as f32, |_| true;
    BlockI64 = i64, 8, |x| x as f32, |_| true;
}
