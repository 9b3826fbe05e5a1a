//! `nemotron_h_moe`: Nemotron 3: Nemotron-H with experts, which may work in a narrower space.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch { name: "nemotron_h_moe", ..super::nemotron_h::ARCH };
