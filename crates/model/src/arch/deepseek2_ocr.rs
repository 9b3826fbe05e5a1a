//! `deepseek2-ocr`: the text model of DeepSeek-OCR: plain attention with rotated halves, DeepSeek's experts.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("deepseek2-ocr", |at, hp| {
    let attention = Attention::load(at, AttentionSpec::neox(at, hp)?)?;
    let moe = MoeSpec::by_keys(at, hp, Score::Softmax)?.behind_dense(at, hp)?;
    Layer::load(at, hp, (Norms::PRE, NormSpec::rms(at, hp)?), attention, moe)
});
