//! `kimi-linear`: Kimi Linear: Kimi Delta Attention in most layers, latent attention without positions in the others,
//! DeepSeek-V3's experts.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("kimi-linear", |at, hp| {
    at.ignore_each(&["attn_q.scale", "attn_q.bias"], "the reference engine does not apply it");
    let mixer: Box<dyn Block> = if hp.layer(at.index()).n_head_kv == 0 {
        Kda::load(at, hp, Decay::Softplus)?.into()
    } else {
        Mla::load(at, MlaSpec::load(at, hp)?)?.into()
    };
    let moe = MoeSpec { normalize: true, ..MoeSpec::by_keys(at, hp, Score::Sigmoid)? };
    Layer::load(at, hp, (Norms::PRE, NormSpec::rms(at, hp)?), mixer, moe.behind_dense(at, hp)?)
});
