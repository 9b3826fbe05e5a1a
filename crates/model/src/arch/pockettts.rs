//! `pockettts`: the backbone of Pocket TTS: layer norms, rotated neighbours, GELU.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("pockettts", |at, hp| {
    let ffn = FfnSpec::plain(at, hp, Unary::Gelu)?;
    Layer::dense(at, hp, NormSpec::layer(at, hp)?, AttentionSpec::interleaved(at, hp)?, ffn)
})
.layer_normed();
