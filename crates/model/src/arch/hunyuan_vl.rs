//! `hunyuan_vl`: the text model of HunyuanOCR. The context is extended by a greater rotary base (NTK).

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("hunyuan_vl", |at, hp| {
    let mut attention = super::hunyuan_dense::attention(at, hp)?;
    let alpha: f32 = at.get_or("rope.scaling.alpha", 0.0)?;
    if let Some(rope) = attention.rope.as_mut().filter(|_| alpha > 0.0 && hp.key_dim > 2) {
        rope.table.freq_base *= alpha.powf(hp.key_dim as f32 / (hp.key_dim - 2) as f32);
    }
    Layer::llama(at, hp, attention)
});
