//! `plm`: PLM: latent attention in full, a squared ReLU without a gate.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("plm", |at, hp| {
    at.ignore("attn_q.scale", "the reference engine does not apply it");
    let attention = MlaSpec { rope: Some(Rope::interleaved(at, hp)?), ..MlaSpec::load(at, hp)? };
    let ffn = Dense::load(at, FfnSpec::plain(at, hp, Unary::ReluSquared)?)?;
    Layer::load(at, hp, (Norms::PRE, NormSpec::rms(at, hp)?), Mla::load(at, attention)?, ffn)
});
