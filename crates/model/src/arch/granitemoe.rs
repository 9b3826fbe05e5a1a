//! `granitemoe`: Granite 3 with experts.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch { name: "granitemoe", ..super::granite::ARCH };
