//! `maincoder`: Maincoder: Llama with heads normalized after they are rotated.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("maincoder", |at, hp| {
    let qk_norm = Some(QkNorm::rotated_head(NormSpec::rms(at, hp)?));
    Layer::llama(at, hp, AttentionSpec { qk_norm, ..AttentionSpec::interleaved(at, hp)? })
});
