//! `mellum`: Mellum 2: Qwen 3 MoE, some with windows.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("mellum", |at, hp| {
    let mut spec = super::qwen3::attention(at, hp)?;
    if let Some(window) = Window::load(at, hp, 4, Full::Last)?.filter(|window| window.covers(at)) {
        let rope = Some(Rope::plain(RopeOrder::Neox, hp.rope.n_rot, hp.rope.freq_base));
        spec = window.mask(at, AttentionSpec { rope, ..spec });
    }
    let moe = Moe::load(at, MoeSpec::softmax(at, hp)?)?;
    Layer::load(at, hp, (Norms::PRE, NormSpec::rms(at, hp)?), Attention::load(at, spec)?, moe)
})
.scales(Scales::EXPERTS);
