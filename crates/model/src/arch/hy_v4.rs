//! `hy_v4`: Hunyuan 4: hyper-connections whose streams meet in the blocks alone, gated latent attention with sinks, with an
//! indexer in some models, DeepSeek-V3's experts with bounded gates.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::own("hy_v4", |file, hp| {
    let spec = HyperSpec::independent(file, hp, file.require("hyper_connection.magnitude")?)?;
    Ok(Box::new(HyperDecoder {
        embedding: Embedding::load(file, hp)?,
        layers: file.layers(hp.n_layer, |at| layer(at, hp, spec))?,
        merge: Merge::by_shares(file, spec)?,
        head: Head::load(file, hp, NormSpec::rms(file, hp)?)?,
        spec,
    }))
});

fn layer(at: &Source<'_>, hp: &Hparams, spec: HyperSpec) -> Result<HyperLayer> {
    at.ignore("attn_output.scale", "the reference engine does not apply it");
    let (rope, gate) = (Some(Rope::interleaved(at, hp)?), Some(Unary::Sigmoid));
    let attention = MlaSpec { rope, gate, ..MlaSpec::load(at, hp)? };
    let choice = if at.get_or("attention.indexer.top_k", 0_usize)? > 0 {
        let rotated = Rotated::Last(RopeOrder::Interleaved);
        let indexer = IndexerSpec { rotated, eps: attention.norm.eps, n_pooled: 1 };
        Choice::own_or_shared(at, hp, &attention, indexer, |_| true)?
    } else {
        None
    };
    let attention = Mla::load(at, attention)?.choosing(choice);
    let moe = MoeSpec::by_keys(at, hp, Score::Sigmoid)?;
    let activation = Activation::clamped_silu(at, hp, "swiglu_clamp_exp")?.unwrap_or(moe.activation);
    let moe = MoeSpec { activation, shared_activation: Some(Activation::SILU), ..moe };
    HyperLayer::load(at, hp, spec, attention, moe.behind_dense(at, hp)?)
}
