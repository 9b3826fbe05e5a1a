//! `rnd1`: RND1, a diffusion model: Qwen 3 MoE where every token sees all others.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch { name: "rnd1", ..super::qwen3moe::ARCH }.bidirectional().scales(Scales::MIXER);
