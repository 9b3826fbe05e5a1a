//! `refact`: Refact: Llama with ALiBi.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("refact", |at, hp| {
    let biases = ["attn_output.bias", "ffn_gate.bias", "ffn_up.bias", "ffn_down.bias"];
    at.ignore_each(&biases, "the reference engine does not add it");
    at.root().ignore("rope_freqs.weight", "nothing is rotated");
    let spec = AttentionSpec { alibi_max_bias: Some(8.0), ..AttentionSpec::causal(at, hp)? };
    if at.get_or("expert_count", 0)? == 0 {
        return Layer::llama(at, hp, spec);
    }
    let (norms, attention) = ((Norms::PRE, NormSpec::rms(at, hp)?), Attention::load(at, spec)?);
    Layer::load(at, hp, norms, attention, Bare::load(at))
});
