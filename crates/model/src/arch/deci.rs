//! `deci`: DeciLM, Nemotron-NAS: Llama after a search that thinned out layers. Some have no attention or a single
//! matrix in its place, some have no feed-forward.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::own("deci", |file, hp| {
    Ok(Box::new(Decoder {
        embedding: Embedding::load(file, hp)?,
        layers: file.layers(hp.n_layer, |at| layer(at, hp))?.into_iter().flatten().collect(),
        head: Head::load(file, hp, NormSpec::rms(file, hp)?)?,
    }))
});

/// The blocks that are left of a layer, each around the residual stream.
fn layer(at: &Source<'_>, hp: &Hparams) -> Result<Vec<Box<dyn Block>>> {
    let own = hp.layer(at.index());
    let norm = NormSpec::rms(at, hp)?;
    let mut blocks: Vec<Box<dyn Block>> = Vec::new();
    if own.n_head > 0 && own.n_head_kv > 0 {
        let spec = AttentionSpec::interleaved(at, hp)?;
        blocks.push(Layer::single(at, hp, ("attn_norm", norm), Attention::load(at, spec)?)?.into());
    } else if own.n_head > 0 {
        let linear = Linear::load(at, "attn_output", hp.n_embd, hp.n_embd)?;
        blocks.push(Layer::single(at, hp, ("attn_norm", norm), linear)?.into());
    }
    if own.n_ff > 0 {
        let ffn = Dense::load(at, FfnSpec::swiglu(at, hp)?)?;
        blocks.push(Layer::single(at, hp, ("ffn_norm", norm), ffn)?.into());
    }
    Ok(blocks)
}
