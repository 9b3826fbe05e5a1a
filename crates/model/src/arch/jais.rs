//! `jais`: Jais: ALiBi, layer norms, scores scaled by the length of a key instead of its root.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("jais", |at, hp| {
    let attention = AttentionSpec {
        alibi_max_bias: at.get("attention.max_alibi_bias")?.filter(|&bias: &f32| bias > 0.0),
        scale: 1.0 / hp.key_dim as f32,
        ..AttentionSpec::causal(at, hp)?
    };
    Layer::dense(at, hp, NormSpec::layer(at, hp)?, attention, FfnSpec::swiglu(at, hp)?)
})
.layer_normed();
