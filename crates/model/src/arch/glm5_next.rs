//! `glm5-next`: GLM-5.3 Flash: hyper-connections, Kimi Delta Attention in most layers, in the others latent attention
//! without positions to blocks that an indexer chooses.

use crate::blocks::*;
use crate::limits::MAX_POOLED;

pub(super) const ARCH: Arch = Arch::own("glm5-next", |file, hp| {
    let spec = HyperSpec::manifold(file, hp)?;
    Ok(Box::new(HyperDecoder {
        embedding: Embedding::load(file, hp)?,
        layers: file.layers(hp.n_layer, |at| layer(at, hp, spec))?,
        merge: Merge::Mean,
        head: Head::load(file, hp, NormSpec::rms(file, hp)?)?,
        spec,
    }))
});

fn layer(at: &Source<'_>, hp: &Hparams, spec: HyperSpec) -> Result<HyperLayer> {
    HyperLayer::load(at, hp, spec, mixer(at, hp)?, feed_forward(at, hp)?)
}

fn mixer(at: &Source<'_>, hp: &Hparams) -> Result<Box<dyn Block>> {
    if hp.layer(at.index()).n_head_kv == 0 {
        let decay = match at.get("kda.gate_lower_bound")? {
            Some(lower) => Decay::Bounded { lower, sign: -1.0 },
            None => Decay::Softplus,
        };
        return Ok(Kda::load(at, hp, decay)?.with_unit_eps(1e-6).into());
    }
    at.ignore("attn_output.scale", "the reference engine does not apply it");
    let spec = MlaSpec::load(at, hp)?;
    let choice = Choice::own_or_shared(at, hp, &spec, indexer(at, hp)?, |_| true)?;
    Ok(Mla::load(at, spec)?.choosing(choice).into())
}

/// Of blocks of tokens whose keys are pooled. Nothing is rotated, as the attention is not.
fn indexer(at: &Source<'_>, hp: &Hparams) -> Result<IndexerSpec> {
    let tail = "attention.indexer.kpool_select_tail";
    if !at.get_or(tail, true)? {
        let problem = "is not supported: tokens would not see themselves";
        return Err(Error::value(&at.full_key(tail), false, problem));
    }
    let pool = "attention.indexer.kpool";
    let n_pooled = Error::check_size(&at.full_key(pool), at.require(pool)?, MAX_POOLED)?;
    Ok(IndexerSpec { rotated: Rotated::First(RopeOrder::Neox), eps: NormSpec::layer(at, hp)?.eps, n_pooled })
}

/// Dense networks are bounded as shared experts are.
fn feed_forward(at: &Source<'_>, hp: &Hparams) -> Result<Box<dyn Block>> {
    let [routed, shared] = super::deepseek4::activations(at, hp)?;
    if at.index() < at.get_or("leading_dense_block_count", 0)? {
        return Ok(Dense::load(at, FfnSpec { activation: shared, ..FfnSpec::swiglu(at, hp)? })?.into());
    }
    let moe = MoeSpec::by_keys(at, hp, Score::Sigmoid)?;
    Ok(Moe::load(at, MoeSpec { activation: routed, shared_activation: Some(shared), ..moe })?.into())
}
