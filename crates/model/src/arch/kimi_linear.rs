//! `kimi-linear`: Kimi Linear: Kimi Delta Attention in most layers, latent attention without positions in the others,
//! DeepSeek-V3's experts.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("kimi-linear", |at, hp| {
    for part in ["attn_q", "attn_k", "attn_v"] {
        at.ignore_each(&[&format!("{part}.scale"), &format!("{part}.bias")], "the reference engine does not apply it");
    }
    let mixer: Box<dyn Block> = if hp.layer(at.index()).n_head_kv == 0 {
        at.ignore_each(&["attn_output.scale", "ssm_beta.scale"], "the reference engine does not apply it");
        Kda::load(at, hp)?.into()
    } else {
        Mla::load(at, MlaSpec::load(at, hp)?)?.into()
    };
    let moe = MoeSpec { normalize: true, ..MoeSpec::by_keys(at, hp, Score::Sigmoid)? };
    Layer::load(at, hp, (Norms::PRE, NormSpec::rms(at, hp)?), mixer, moe.behind_dense(at, hp)?)
});
