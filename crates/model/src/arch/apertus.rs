//! `apertus`: Apertus: Qwen 3 with the activation xIELU and no gate.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("apertus", |at, hp| {
    at.ignore_each(&["attn_q_norm.bias", "attn_k_norm.bias"], "the reference engine does not add it");
    let value = |key: &str| -> Result<f32> {
        let key = format!("xielu.{key}");
        if let Ok(Some(value)) = at.get_global(&key) {
            return Ok(value);
        }
        let values = at.get_global::<Vec<f32>>(&key)?.unwrap_or_default();
        let missing = || Error::value(&key, values.len(), format!("values for {} layers", hp.n_layer_all()));
        values.get(at.index()).copied().ok_or_else(missing)
    };
    let softplus = |x: f32| x.exp().ln_1p();
    let beta = value("beta")?;
    let activation =
        Activation::Xielu { negative: beta + softplus(value("alpha_n")?), positive: softplus(value("alpha_p")?), beta };
    let ffn = FfnSpec { gate: Gate::None, activation, ..FfnSpec::swiglu(at, hp)? };
    let qk_norm = Some(QkNorm::head(NormSpec::rms(at, hp)?));
    let attention = AttentionSpec { qk_norm, ..AttentionSpec::neox(at, hp)? };
    Layer::dense(at, hp, NormSpec::rms(at, hp)?, attention, ffn)
});
