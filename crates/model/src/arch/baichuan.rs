//! `baichuan`: Baichuan. The 7B model rotates, the 13B model has ALiBi; files do not say which they are.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("baichuan", |at, hp| {
    let attention = match hp.n_layer {
        32 => AttentionSpec::interleaved(at, hp)?,
        40 => AttentionSpec { alibi_max_bias: Some(8.0), ..AttentionSpec::causal(at, hp)? },
        _ => AttentionSpec::causal(at, hp)?,
    };
    Layer::llama(at, hp, attention)
});
