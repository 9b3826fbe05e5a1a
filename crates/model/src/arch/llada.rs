//! `llada`: LLaDA, a diffusion model: Llama where every token sees all others.

use crate::blocks::*;

pub(super) const ARCH: Arch = 
    Arch::decoder("llada", |at, hp| Layer::llama(at, hp, AttentionSpec::interleaved(at, hp)?))
    .bidirectional();
