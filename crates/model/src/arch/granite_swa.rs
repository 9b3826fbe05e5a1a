//! `granite_swa`: Granite with windows, sinks, and layers without positions.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch { name: "granite_swa", ..super::granite::ARCH }.layer(|at, hp| {
    let mut spec = AttentionSpec::interleaved(at, hp)?.with_file_scale(at)?;
    spec = Window::of(at, hp, at.require("attention.sliding_window")?, 0, Full::Last)?.mask(at, spec);
    let positions = at.get::<Vec<bool>>("attention.rope_pattern")?.unwrap_or_default();
    if positions.get(at.index()) == Some(&false) {
        spec.rope = None;
    }
    super::granite::layer(at, hp, spec)
});
