//! `nomic-bert`: Nomic Embed 1: BERT with rotated halves and SwiGLU.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::own("nomic-bert", |file, hp| {
    Ok(Box::new(super::bert::encoder(file, hp, |at, hp| {
        // The reference engine adds no biases to a feed-forward with a gate.
        at.ignore_each(&["ffn_up.bias", "ffn_down.bias"], "the reference engine does not add it");
        PostNormLayer::load(at, hp, AttentionSpec::neox(at, hp)?, Dense::load(at, FfnSpec::swiglu(at, hp)?)?)
    })?))
});
