//! `llama-embed`: Llama trained to embed: every token sees all others.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch { name: "llama-embed", ..super::llama::ARCH }.bidirectional();
