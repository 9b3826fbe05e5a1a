//! The scalar encoders, compiled once more for wider vectors where the processor has them. The same operations in the
//! same order give the same bytes, as the compiler neither reorders nor fuses float operations.
#![expect(
    unsafe_code,
    reason = "code for instructions that not every processor has may only be called after detection"
)]

use crate::block::Block;

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
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("f16c") {
        // SAFETY: the processor has the instructions, as was just detected.
        unsafe { encode_row_avx2(x, importance, blocks) };
        return;
    }
    B::encode_row(x, importance, blocks);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,f16c")]
fn encode_row_avx2<B: Block<N>, const N: usize>(x: &[f32], importance: Option<&[f32]>, blocks: &mut [B]) {
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
