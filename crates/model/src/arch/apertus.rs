//! `apertus`: Apertus: Qwen 3 with the activation xIELU and no gate.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("apertus", |at, hp| {
    for name in ["attn_q_norm.bias", "attn_k_norm.bias"] {
        at.ignore(name, "the reference engine does not add it");
    }
    let value = |key: &str| -> Result<f32> {
        let values = at.per_layer::<f32>(&format!("xielu.{key}"), hp.n_layer_all())?;
        values.map_or_else(|| at.require(&format!("xielu.{key}")), |values| Ok(values[at.index()]))
    };
    let softplus = |x: f32| x.exp().ln_1p();
    let beta = value("beta")?;
    let activation =
        Activation::Xielu { negative: beta + softplus(value("alpha_n")?), positive: softplus(value("alpha_p")?), beta };
    let ffn = FfnSpec { gate: Gate::None, activation, ..FfnSpec::swiglu(at, hp)? };
    let qk_norm = Some(QkNorm::head(NormSpec::rms(at, hp)?.without_bias()));
    let attention = AttentionSpec { qk_norm, ..AttentionSpec::neox(at, hp)? }.with_file_scale(at)?;
    Layer::dense(at, hp, NormSpec::rms(at, hp)?, attention, ffn)
});
