//! `mistral3`: Mistral 3, Ministral 3: Llama or Mixtral with YaRN and queries that sharpen with their position.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("mistral3", |at, hp| {
    let mut spec = AttentionSpec::interleaved(at, hp)?;
    let log_multiplier = at.get_or("rope.scaling.yarn_log_multiplier", 0.0)?;
    spec.rope = spec.rope.map(|rope| rope.with_mscale(1.0, log_multiplier));
    if let Some(rope) = &mut spec.rope {
        rope.table.beta_fast = at.get_or("rope.scaling.yarn_beta_fast", rope.table.beta_fast)?;
        rope.table.beta_slow = at.get_or("rope.scaling.yarn_beta_slow", rope.table.beta_slow)?;
    }
    spec.temperature = temperature(at, hp.rope.n_ctx_orig)?;
    let ffn = MoeSpec::mixtral_or_dense(at, hp)?;
    Layer::load(at, hp, (Norms::PRE, NormSpec::rms(at, hp)?), Attention::load(at, spec)?, ffn)
})
.scales(Scales::ALL);

/// The file's temperature, rising every `period` tokens.
pub(super) fn temperature(at: &Source<'_>, period: usize) -> Result<Option<Temperature>> {
    let scale = at.get("attention.temperature_scale")?.filter(|&scale| scale != 0.0);
    Ok(scale.map(|scale| Temperature { scale, offset: 0.0, period: period.max(1) as f32 }))
}
