//! `granitehybrid`: Granite 4 H, Bamba: Granite with Mamba-2 in most layers.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch { name: "granitehybrid", ..super::granite::ARCH }.layer(|at, hp| {
    let mixer: Box<dyn Block> = if hp.layer(at.index()).n_head_kv == 0 {
        Mamba2::load(at, hp)?.into()
    } else {
        Attention::load(at, super::granite::attention(at, hp)?)?.into()
    };
    let ffn = MoeSpec::mixtral_or_dense(at, hp)?;
    let layer = Layer::load(at, hp, (Norms::PRE, NormSpec::rms(at, hp)?), mixer, ffn)?;
    Ok(layer.residual_scaled(super::granite::scale(at, "residual_scale")?))
});
