//! `mistral4`: Mistral 4: DeepSeek-V2 with another magnitude of YaRN.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("mistral4", |at, hp| {
    let attention = super::deepseek2::attention(at, hp, 1.0)?;
    super::deepseek2::layer(at, hp, Mla::load(at, super::deepseek2::tempered(at, attention)?)?)
});
