//! `eurobert`: EuroBERT, jina v5: Llama where every token sees all others.

use crate::blocks::*;

pub(super) const ARCH: Arch = 
    Arch::decoder("eurobert", |at, hp| Layer::llama(at, hp, AttentionSpec::neox(at, hp)?))
    .bidirectional();
