//! `baichuan`: Baichuan. The 7B model rotates, the 13B model has ALiBi.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("baichuan", |at, hp| {
    let attention = if hp.n_layer == 40 {
        AttentionSpec { alibi_max_bias: Some(8.0), ..AttentionSpec::causal(at, hp)? }
    } else {
        AttentionSpec::interleaved(at, hp)?
    };
    Layer::llama(at, hp, attention)
});
