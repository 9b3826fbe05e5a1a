//! `ernie4_5-moe`: ERNIE 4.5 with experts in every few layers, some shared.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("ernie4_5-moe", |at, hp| {
    at.ignore("attn_output.bias", "the reference engine does not add it");
    let attention = Attention::load(at, AttentionSpec::interleaved(at, hp)?)?;
    let step: usize = at.require("interleave_moe_layer_step")?;
    let has_experts = at.index() >= at.get_or("leading_dense_block_count", 0)?;
    let ffn: Box<dyn Block> = if !has_experts {
        Dense::load(at, FfnSpec::swiglu(at, hp)?)?.into()
    } else if step > 0 && (at.index() + 1).is_multiple_of(step) {
        Moe::load(at, MoeSpec::softmax(at, hp)?.with_shared_by_width(at)?)?.into()
    } else {
        Bare::load(at).into()
    };
    Layer::load(at, hp, (Norms::PRE, NormSpec::rms(at, hp)?), attention, ffn)
});
