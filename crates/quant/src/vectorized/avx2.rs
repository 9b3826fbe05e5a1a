//! The scalar encoders compiled for AVX2. Nothing here is written for it.
#![expect(
    unsafe_code,
    reason = "code for instructions that not every processor has is called after detection"
)]

use crate::block::Block;

/// [`Block::encode_row`], if this processor has the instructions.
pub(super) fn encode_row<B: Block<N>, const N: usize>(
    x: &[f32],
    importance: Option<&[f32]>,
    blocks: &mut [B],
) -> bool {
    #[target_feature(enable = "avx2,f16c")]
    fn compiled<B: Block<N>, const N: usize>(x: &[f32], importance: Option<&[f32]>, blocks: &mut [B]) {
        B::encode_row(x, importance, blocks);
    }
    let has_them = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("f16c");
    if has_them {
        // SAFETY: the processor has the instructions, as was just detected.
        unsafe { compiled(x, importance, blocks) };
    }
    has_them
}
