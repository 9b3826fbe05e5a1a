//! `chameleon`: the language model of Chameleon: Llama with layer norms of each head; the larger one normalizes what blocks
//! give out. The tokens of images among its vocabulary keep their scores.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("chameleon", |at, hp| {
    let qk_norm = Some(QkNorm::each_head(NormSpec { kind: NormKind::Layer, eps: 1e-5 }));
    let attention = Attention::load(at, AttentionSpec { qk_norm, ..AttentionSpec::interleaved(at, hp)? })?;
    let (mixer, ffn) = (Some("attn_norm"), Some("ffn_norm"));
    let norms = if at.get_or("swin_norm", false)? {
        Norms { mixer: None, mixer_post: mixer, ffn: None, ffn_post: ffn }
    } else {
        Norms::PRE
    };
    let dense = Dense::load(at, FfnSpec::swiglu(at, hp)?)?;
    Layer::load(at, hp, (norms, NormSpec::rms(at, hp)?), attention, dense)
});
