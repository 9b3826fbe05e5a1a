//! `llama4`: Llama 4: chunks with positions, full layers without but sharpened with the position; experts weighted
//! before they work.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("llama4", |at, hp| {
    let step: usize = at.require("interleave_moe_layer_step")?;
    let ffn: Box<dyn Block> = if step > 0 && (at.index() + 1).is_multiple_of(step) {
        let moe = MoeSpec { score: Score::Sigmoid, normalize: false, weigh_input: true, ..MoeSpec::softmax(at, hp)? };
        Moe::load(at, MoeSpec { n_ff_shared: moe.n_ff, ..moe })?.into()
    } else {
        Dense::load(at, FfnSpec::swiglu(at, hp)?)?.into()
    };
    let norms = (Norms::PRE, NormSpec::rms(at, hp)?);
    Layer::load(at, hp, norms, Attention::load(at, attention(at, hp)?)?, ffn)
});

/// Three chunked layers to a full one, unless the file sets the window to 0.
fn attention(at: &Source<'_>, hp: &Hparams) -> Result<AttentionSpec> {
    const CHUNK: usize = 8192;
    let mut spec = AttentionSpec::interleaved(at, hp)?;
    // The model of 128 experts does not normalize queries and keys.
    if hp.n_expert != 128 {
        spec.qk_norm = Some(QkNorm::bare_rotated(NormSpec::rms(at, hp)?));
    }
    if at.get("attention.sliding_window")? == Some(0) {
        return Ok(spec);
    }
    let window = Window::of(at, hp, CHUNK, 4, Full::Last)?;
    if window.covers(at) {
        spec = AttentionSpec { mask: Mask::Chunk(CHUNK), ..window.narrow(at, spec) };
    }
    if at.index() % 4 == 3 {
        let temperature = Some(Temperature { scale: 0.1, offset: 1.0, period: CHUNK as f32 });
        spec = AttentionSpec { rope: None, qk_norm: None, temperature, ..spec };
    }
    Ok(spec)
}
