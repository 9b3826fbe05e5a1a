//! `cogvlm`: the language model of CogVLM: Llama with rotated halves. Its second set of weights, for images, is passed
//! over.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("cogvlm", |at, hp| {
    for name in ["vis_attn_qkv", "vis_attn_output", "vis_gate", "vis_up", "vis_down"] {
        at.ignore(&format!("{name}.weight"), "it is for embeddings of images");
    }
    at.ignore("attn_qkv.scale", "the reference engine does not apply it");
    at.root().ignore("rope_freqs.weight", "the reference engine rotates without factors");
    let rope = Some(Rope::plain(RopeOrder::Neox, hp.key_dim, 10000.0));
    Layer::llama(at, hp, AttentionSpec { rope, ..AttentionSpec::causal(at, hp)? })
});
