//! `bailingmoe3`: Ling 3: Kimi Delta Attention with bounded decays in most layers, gated latent attention in the others,
//! DeepSeek-V3's experts.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("bailingmoe3", |at, hp| {
    let mixer: Box<dyn Block> = if hp.layer(at.index()).n_head_kv == 0 {
        let lower = at.require("kda.gate_lower_bound")?;
        Kda::load(at, hp, Decay::Bounded { lower, sign: 1.0 })?.into()
    } else {
        at.ignore_each(&["attn_q.scale", "attn_output.scale"], "the reference engine does not apply it");
        Mla::load(at, attention(at, hp)?)?.into()
    };
    let moe = super::step35::experts(at, hp)?;
    Layer::load(at, hp, (Norms::PRE, NormSpec::rms(at, hp)?), mixer, moe.behind_dense(at, hp)?)
});

/// Models that see rotate halves, others pairs of neighbours.
fn attention(at: &Source<'_>, hp: &Hparams) -> Result<MlaSpec> {
    let sees = at.get::<Vec<i32>>("rope.dimension_sections")?.is_some_and(|sections| sections.iter().any(|&n| n != 0));
    let rope = if sees { Rope::neox(at, hp)? } else { Rope::interleaved(at, hp)? };
    Ok(MlaSpec { rope: Some(rope), gate: Some(Unary::Sigmoid), ..MlaSpec::load(at, hp)? })
}
