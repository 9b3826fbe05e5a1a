//! `step35`: Step 3.5 Flash: gated heads, windows that rotate whole heads and full layers that rotate half, experts
//! with clamped gates.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("step35", |at, hp| {
    let norm = NormSpec::rms(at, hp)?;
    let spec = AttentionSpec {
        gate: at.has("attn_gate.weight").then_some(Unary::Sigmoid),
        qk_norm: at.has("attn_q_norm.weight").then(|| QkNorm::head(norm)),
        ..AttentionSpec::neox(at, hp)?
    };
    let window = Window::of(at, hp, at.require("attention.sliding_window")?, 0, Full::Last)?;
    let rope = match spec.rope {
        Some(rope) if window.covers(at) => Some(rope.without_factors()),
        Some(rope) => Some(rope.partial(at, hp.rope.n_rot / 2)?),
        None => None,
    };
    let attention = Attention::load(at, window.narrow_unscaled(at, AttentionSpec { rope, ..spec }))?;
    let ffn = experts(at, hp)?.where_routed(at, hp)?;
    Layer::load(at, hp, (Norms::PRE, norm), attention, ffn)
});

pub(super) fn experts(at: &Source<'_>, hp: &Hparams) -> Result<MoeSpec> {
    let clamped = |key: &str| -> Result<Activation> {
        let limits = at.per_layer::<f32>(key, hp.n_layer_all())?.unwrap_or_default();
        let limit = limits.get(at.index()).copied().filter(|&limit| limit > 1e-6);
        Ok(limit.map_or(Activation::SILU, |limit| Activation::SiluClamped { limit }))
    };
    let moe = MoeSpec::by_keys(at, hp, Score::Sigmoid)?;
    let n_ff_shared = if moe.n_ff_shared == 0 { moe.n_ff } else { moe.n_ff_shared };
    let (activation, shared_activation) = (clamped("swiglu_clamp_exp")?, Some(clamped("swiglu_clamp_shexp")?));
    Ok(MoeSpec { n_ff_shared, activation, shared_activation, ..moe })
}
