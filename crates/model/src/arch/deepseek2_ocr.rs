//! `deepseek2-ocr`: the text model of DeepSeek-OCR: plain attention with rotated halves, DeepSeek's experts.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("deepseek2-ocr", |at, hp| {
    // Whole heads are rotated, and nothing the file says about positions counts.
    let rope = Some(Rope::plain(RopeOrder::Neox, hp.key_dim, 10000.0));
    let attention = Attention::load(at, AttentionSpec { rope, ..AttentionSpec::causal(at, hp)? })?;
    let moe = MoeSpec::by_keys(at, hp, Score::Softmax)?.behind_dense(at, hp)?;
    Layer::load(at, hp, (Norms::PRE, NormSpec::rms(at, hp)?), attention, moe)
});
