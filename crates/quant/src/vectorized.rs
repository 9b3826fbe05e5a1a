//! The scalar encoders, compiled once more for wider vectors where the processor has more than
//! every one of its kind (the NEON of 64-bit Arm is what they are compiled for anyway). The same operations in the
//! same order give the same bytes, as the compiler neither reorders nor fuses float operations.

use crate::block::Block;

#[cfg(target_arch = "x86_64")]
mod avx2;

/// [`Block::encode_row`], with the widest vectors at hand.
///
/// What an encoder calls is `#[inline(always)]`, as only what ends up inside of the function with the instructions is
/// compiled for them.
pub(crate) fn encode_row<B: Block<N>, const N: usize>(
    x: &[f32],
    importance: Option<&[f32]>,
    blocks: &mut [B],
) {
    #[cfg(target_arch = "x86_64")]
    if avx2::encode_row(x, importance, blocks) {
        return;
    }
    B::encode_row(x, importance, blocks);
}

/// [`array::map`] that ends up inside of the function with the instructions, however long it is.
#[inline(always)]
pub(crate) fn each<T: Copy, U: Copy + Default, const N: usize>(x: &[T; N], f: impl Fn(T) -> U) -> [U; N] {
    let mut out = [U::default(); N];
    for (out, x) in out.iter_mut().zip(x) {
        *out = f(*x);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blocks::*;

    fn check<B: Block<N>, const N: usize>() {
        // Values of all sizes, both zeros, equals, and a group of zeros.
        let mut state = 1u32;
        let mut x = [0.0f32; 1024];
        for (i, x) in x.iter_mut().enumerate() {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let value = (state >> 8) as f32 / 8_388_608.0 - 1.0;
            *x = match i {
                0..32 => value.copysign(1.0),
                32..48 => 0.0,
                48..64 => -0.0,
                64..128 => (value * 4.0).round() / 4.0,
                _ => value * value * value,
            };
        }
        let importance = x.map(|x| x.abs() + 0.1);
        for importance in [None, Some(&importance[..])] {
            let mut scalar = [B::zeroed(); 1024];
            let mut vectors = scalar;
            B::encode_row(&x, importance, &mut scalar[..1024 / N]);
            encode_row::<B, N>(&x, importance, &mut vectors[..1024 / N]);
            let name = std::any::type_name::<B>();
            assert!(
                bytemuck::cast_slice::<B, u8>(&scalar) == bytemuck::cast_slice::<B, u8>(&vectors),
                "{name}"
            );
        }
    }

    #[test]
    fn vectors_give_the_same_bytes() {
        check::<BlockF16, 1>();
        check::<BlockBf16, 1>();
        check::<BlockQ4_0, 32>();
        check::<BlockQ4_1, 32>();
        check::<BlockQ5_0, 32>();
        check::<BlockQ5_1, 32>();
        check::<BlockQ8_0, 32>();
        check::<BlockQ2K, 256>();
        check::<BlockQ3K, 256>();
        check::<BlockQ4K, 256>();
        check::<BlockQ5K, 256>();
        check::<BlockQ6K, 256>();
        check::<BlockIq4Nl, 32>();
        check::<BlockIq4Xs, 256>();
        check::<BlockIq3S, 256>();
        check::<BlockIq2S, 256>();
        check::<BlockIq1M, 256>();
        check::<BlockMxfp4, 32>();
        check::<BlockNvfp4, 64>();
        check::<BlockTq1_0, 256>();
    }
}
