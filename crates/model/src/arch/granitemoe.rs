//! `granitemoe`: Granite 3 with experts; it always has positions.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch { name: "granitemoe", ..super::granite::ARCH }.layer(|at, hp| {
    super::granite::layer(at, hp, AttentionSpec::interleaved(at, hp)?.with_file_scale(at)?)
});
