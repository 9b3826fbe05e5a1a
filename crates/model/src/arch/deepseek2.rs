//! `deepseek2`: DeepSeek-V2, V3 and R1, Kimi K2, GLM-4.7-Flash: latent attention, and experts behind the first dense
//! layers.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("deepseek2", |at, hp| {
    layer(at, hp, Mla::load(at, tempered(at, attention(at, hp, log_multiplier(at)?)?)?)?)
});

/// This attention, and experts behind the first dense layers.
pub(super) fn layer(at: &Source<'_>, hp: &Hparams, attention: Mla) -> Result<Layer> {
    let score = if is_glm_flash(hp) { Score::Sigmoid } else { Score::Softmax };
    let moe = MoeSpec::by_keys(at, hp, score)?.behind_dense(at, hp)?;
    Layer::load(at, hp, (Norms::PRE, NormSpec::rms(at, hp)?), attention, moe)
}

/// With queries that sharpen with their position, if the file says how.
pub(super) fn tempered(at: &Source<'_>, spec: MlaSpec) -> Result<MlaSpec> {
    let period = at.get_or("attention.temperature_length", 0)?;
    Ok(MlaSpec { temperature: super::mistral3::temperature(at, period)?, ..spec })
}

/// Rotated by YaRN, whose magnitude also sharpens the attention. It is that of DeepSeek-V2 for a `rotation` of the file's
/// multiplier, and of later models for 1.
pub(super) fn attention(at: &Source<'_>, hp: &Hparams, rotation: f32) -> Result<MlaSpec> {
    let spec = MlaSpec::load(at, hp)?;
    let log_multiplier = log_multiplier(at)?;
    let rope = Rope::interleaved(at, hp)?.with_mscale(rotation, log_multiplier);
    let growth = 0.1 * (1.0 / rope.table.freq_scale).ln();
    let mscale = rope.table.attn_factor * (1.0 + growth) * (1.0 + log_multiplier * growth);
    Ok(MlaSpec {
        rope: Some(rope),
        scale: mscale * mscale / (spec.key_dim as f32).sqrt(),
        ..spec
    })
}

/// Converters store a tenth of it.
fn log_multiplier(at: &Source<'_>) -> Result<f32> {
    Ok(at.get_or("rope.scaling.yarn_log_multiplier", 0.0)? / 0.1)
}

/// Its early files do not say how experts are scored.
fn is_glm_flash(hp: &Hparams) -> bool {
    matches!(hp.n_layer, 47 | 48) && hp.n_vocab == 154_880
}
