//! `gptneox`: GPT-NeoX, Pythia. Most have the feed-forward beside the attention.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("gptneox", |at, hp| {
    let ffn = FfnSpec::plain(at, hp, Unary::Gelu)?;
    let layer = Layer::dense(at, hp, NormSpec::layer(at, hp)?, AttentionSpec::neox(at, hp)?, ffn)?;
    Ok(if at.get_or("use_parallel_residual", true)? { layer.parallel() } else { layer })
})
.layer_normed();
