//! `phimoe`: Phi 3.5 MoE: Phi 3 with experts.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch { name: "phimoe", ..super::phi3::ARCH };
