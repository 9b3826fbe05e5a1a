//! `orion`: Orion: Llama with layer norms.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("orion", |at, hp| {
    Layer::dense(at, hp, NormSpec::layer(at, hp)?, AttentionSpec::neox(at, hp)?, FfnSpec::swiglu(at, hp)?)
})
.layer_normed();
