//! `mistral4`: Mistral 4: DeepSeek-V2 under another name.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch { name: "mistral4", ..super::deepseek2::ARCH };
