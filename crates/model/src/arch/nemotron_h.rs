//! `nemotron_h`: Nemotron-H, Nemotron Nano 2: each layer is one block: Mamba-2, attention or a feed-forward.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::own("nemotron_h", |file, hp| {
    hp.norm_eps.rms = hp.norm_eps.rms.or(hp.norm_eps.layer);
    Ok(Box::new(Decoder {
        embedding: Embedding::load(file, hp)?,
        layers: file.layers(hp.n_layer, |at| Ok(layer(at, hp)?.into()))?,
        head: Head::load(file, hp, NormSpec::rms(file, hp)?)?,
    }))
})
.scales(Scales::ALL);

fn layer(at: &Source<'_>, hp: &Hparams) -> Result<Layer> {
    let own = hp.layer(at.index());
    let block: Box<dyn Block> = if own.n_ff > 0 {
        feed_forward(at, hp)?
    } else if own.n_head_kv > 0 {
        Attention::load(at, AttentionSpec::causal(at, hp)?)?.into()
    } else {
        Mamba2::load(at, hp)?.into()
    };
    Layer::single(at, hp, ("attn_norm", NormSpec::rms(at, hp)?), block)
}

/// Dense or experts, with a squared ReLU and no gate; experts may work in a narrower space.
fn feed_forward(at: &Source<'_>, hp: &Hparams) -> Result<Box<dyn Block>> {
    if !at.has("ffn_gate_inp.weight") {
        return Ok(Dense::load(at, FfnSpec::plain(at, hp, Unary::ReluSquared)?)?.into());
    }
    let spec = MoeSpec::by_keys(at, hp, Score::Sigmoid)?;
    let is_narrow = at.has("ffn_latent_down.weight");
    let n_latent = if is_narrow { at.extent_of("moe_latent_size")? } else { hp.n_embd };
    let activation = Activation::Unary(Unary::ReluSquared);
    Ok(Moe::load(at, MoeSpec { gate: Gate::None, activation, n_latent, ..spec })?.into())
}
