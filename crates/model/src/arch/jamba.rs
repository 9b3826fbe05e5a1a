//! `jamba`: Jamba 1.5: Mamba layers, attention without positions in some; experts in some.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("jamba", |at, hp| {
    let mixer: Box<dyn Block> = if hp.layer(at.index()).n_head_kv == 0 {
        Mamba::load(at, hp)?.into()
    } else {
        Attention::load(at, AttentionSpec::causal(at, hp)?)?.into()
    };
    let ffn: Box<dyn Block> = if at.has("ffn_gate_inp.weight") {
        Moe::load(at, MoeSpec { normalize: false, ..MoeSpec::softmax(at, hp)? })?.into()
    } else {
        Dense::load(at, FfnSpec::swiglu(at, hp)?)?.into()
    };
    Layer::load(at, hp, (Norms::PRE, NormSpec::rms(at, hp)?), mixer, ffn)
});
