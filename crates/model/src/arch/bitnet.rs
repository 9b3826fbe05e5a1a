//! `bitnet`: BitNet b1.58: Llama with a norm in front of each block's last projection, and ternary weights.

use crate::blocks::*;

pub(super) const ARCH: Arch =
    Arch::decoder("bitnet", |at, hp| Layer::llama(at, hp, AttentionSpec::neox(at, hp)?)).scales(Scales::FFN);
