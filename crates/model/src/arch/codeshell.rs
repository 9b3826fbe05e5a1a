//! `codeshell`: CodeShell: layer norms, rotated halves, GELU.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("codeshell", |at, hp| {
    let ffn = FfnSpec::plain(at, hp, Unary::Gelu)?;
    Layer::dense(at, hp, NormSpec::layer(at, hp)?, AttentionSpec::neox(at, hp)?, ffn)
})
.embedding(|at, hp| {
    // Its first files have the table once, under the name of the output.
    let table = if at.has("token_embd.weight") { "token_embd.weight" } else { "output.weight" };
    Embedding::of(at, hp, table)
})
.layer_normed();
