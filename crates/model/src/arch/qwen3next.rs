//! `qwen3next`: Qwen 3 Next: three layers of Gated DeltaNet to one of gated attention, experts.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("qwen3next", |at, hp| {
    let moe = MoeSpec::softmax(at, hp)?.with_shared(at)?;
    if is_linear(at)? {
        let names = ["attn_qkv.scale", "attn_gate.scale", "ssm_in.scale", "ssm_ba.scale", "ssm_out.scale"];
        at.ignore_each(&names, "the reference engine does not apply it");
    }
    layer(at, hp, KeyHeads::Consecutive, moe.where_routed(at, hp)?)
})
.scales(Scales::EXPERTS);

/// The file says which layers are linear; by default all but every fourth.
pub(super) fn is_linear(at: &Source<'_>) -> Result<bool> {
    if let Some(flags) = at.flags("attention.recurrent_layers")? {
        return Ok(flags.get(at.index()).copied().unwrap_or(false));
    }
    let interval: usize = at.get_or("full_attention_interval", 4)?;
    Ok(interval == 0 || !(at.index() + 1).is_multiple_of(interval))
}

/// Either mixer, and this feed-forward.
pub(super) fn layer(at: &Source<'_>, hp: &Hparams, key_heads: KeyHeads, ffn: Box<dyn Block>) -> Result<Layer> {
    let mixer: Box<dyn Block> = if is_linear(at)? {
        DeltaNet::load(at, hp, key_heads)?.into()
    } else {
        let spec = super::qwen3::attention(at, hp)?;
        Attention::load(at, AttentionSpec { gate_in_query: true, ..spec })?.into()
    };
    Layer::load(at, hp, (Norms::PRE_RENAMED, NormSpec::rms(at, hp)?), mixer, ffn)
}
