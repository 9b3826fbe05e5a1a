//! `arcee`: AFM (Arcee): Llama with a squared ReLU and no gate.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("arcee", |at, hp| {
    let ffn = FfnSpec::plain(at, hp, Unary::ReluSquared)?;
    Layer::dense(at, hp, NormSpec::rms(at, hp)?, AttentionSpec::interleaved(at, hp)?, ffn)
});
