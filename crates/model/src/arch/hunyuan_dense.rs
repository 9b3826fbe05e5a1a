//! `hunyuan-dense`: Hunyuan without experts: heads are normalized after they are rotated.

use crate::blocks::*;

pub(super) const ARCH: Arch = 
    Arch::decoder("hunyuan-dense", |at, hp| Layer::llama(at, hp, attention(at, hp)?));

/// Rotated halves before norms of each head.
pub(super) fn attention(at: &Source<'_>, hp: &Hparams) -> Result<AttentionSpec> {
    let qk_norm = Some(QkNorm::rotated_head(NormSpec::rms(at, hp)?));
    Ok(AttentionSpec { qk_norm, ..AttentionSpec::neox(at, hp)? })
}
