//! `olmo2`: OLMo 2 and 3: norms of what blocks give out, and of all queries and keys as one; windows in the third.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("olmo2", |at, hp| {
    let norm = NormSpec::rms(at, hp)?;
    let mut spec = AttentionSpec { qk_norm: Some(QkNorm::whole(norm)), ..AttentionSpec::neox(at, hp)? };
    if let Some(window) = Window::load(at, hp, 4, Full::Last)?.filter(|window| window.covers(at)) {
        let rope = Some(Rope::plain(RopeOrder::Neox, hp.rope.n_rot, hp.rope.freq_base));
        spec = window.mask(at, AttentionSpec { rope, ..spec });
    }
    let ffn = Dense::load(at, FfnSpec::swiglu(at, hp)?)?;
    Layer::load(at, hp, (Norms::POST, norm), Attention::load(at, spec)?, ffn)
});
