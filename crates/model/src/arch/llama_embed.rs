//! `llama-embed`: Llama trained to embed: every token sees all others, as the file says.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch { name: "llama-embed", ..super::llama::ARCH };
