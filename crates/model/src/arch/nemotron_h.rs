//! `nemotron_h`: Nemotron-H, Nemotron Nano 2: each layer is one block: Mamba-2, attention or a feed-forward.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("nemotron_h", layer).scales(Scales::ALL);

pub(super) fn layer(at: &Source<'_>, hp: &Hparams) -> Result<Layer> {
    let own = hp.layer(at.index());
    let block: Box<dyn Block> = if own.n_ff > 0 {
        Dense::load(at, FfnSpec::plain(at, hp, Unary::ReluSquared)?)?.into()
    } else if own.n_head_kv > 0 {
        Attention::load(at, AttentionSpec::causal(at, hp)?.with_file_scale(at)?)?.into()
    } else {
        Mamba2::load(at, hp)?.into()
    };
    Layer::single(at, hp, ("attn_norm", NormSpec::rms(at, hp)?), block)
}
