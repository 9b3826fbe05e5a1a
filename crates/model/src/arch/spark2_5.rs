//! `spark2_5`: Spark 2.5: gated heads, windows, GEGLU.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("spark2_5", |at, hp| {
    let mut spec = AttentionSpec { gate: Some(Unary::Sigmoid), ..AttentionSpec::neox(at, hp)? };
    if let Some(window) = Window::load(at, hp, 0, Full::Last)? {
        spec = window.narrow(at, spec);
    }
    let ffn = FfnSpec { activation: Activation::GELU, ..FfnSpec::swiglu(at, hp)? };
    Layer::dense(at, hp, NormSpec::rms(at, hp)?, spec, ffn)
});
