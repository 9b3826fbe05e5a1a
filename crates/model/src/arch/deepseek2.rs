//! `deepseek2`: DeepSeek-V2, V3 and R1, Kimi K2, GLM-4.7-Flash: latent attention, and experts behind the first dense
//! layers.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("deepseek2", layer);

pub(super) fn layer(at: &Source<'_>, hp: &Hparams) -> Result<Layer> {
    let score = if is_glm_flash(hp) { Score::Sigmoid } else { Score::Softmax };
    let moe = MoeSpec::by_keys(at, hp, score)?;
    let attention = Mla::load(at, attention(at, hp)?)?;
    Layer::load(at, hp, (Norms::PRE, NormSpec::rms(at, hp)?), attention, moe.behind_dense(at, hp)?)
}

/// Rotated by YaRN, whose magnitude also sharpens the attention.
pub(super) fn attention(at: &Source<'_>, hp: &Hparams) -> Result<MlaSpec> {
    let spec = MlaSpec::load(at, hp)?;
    // Converters store a tenth of it.
    let log_multiplier = at.get_or("rope.scaling.yarn_log_multiplier", 0.0)? / 0.1;
    let rope = Rope::interleaved(at, hp)?.with_mscale(log_multiplier, log_multiplier);
    let growth = 0.1 * (1.0 / rope.table.freq_scale).ln();
    let mscale = rope.table.attn_factor * (1.0 + growth) * (1.0 + log_multiplier * growth);
    Ok(MlaSpec {
        rope: Some(rope),
        scale: mscale * mscale / (spec.key_dim as f32).sqrt(),
        temperature: super::mistral3::temperature(at, at.get_or("attention.temperature_length", 0)?)?,
        ..spec
    })
}

/// Its early files do not say how experts are scored.
fn is_glm_flash(hp: &Hparams) -> bool {
    matches!(hp.n_layer, 47 | 48) && hp.n_vocab == 154_880
}
