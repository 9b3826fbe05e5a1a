//! `chatglm`: ChatGLM 2 and 3, GLM-4-9B: Llama with gate and up in one matrix.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("chatglm", |at, hp| {
    let ffn = FfnSpec { gate: Gate::InUp, ..FfnSpec::swiglu(at, hp)? };
    Layer::dense(at, hp, NormSpec::rms(at, hp)?, AttentionSpec::interleaved(at, hp)?, ffn)
});
