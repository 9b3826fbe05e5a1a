//! `minimax-m3`: MiniMax M3: attention to blocks that an indexer chooses, normalized heads, experts with clamped gates
//! chosen as in DeepSeek-V3.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("minimax-m3", |at, hp| {
    let_all_through(at, hp)?;
    let norm = NormSpec::rms(at, hp)?;
    let spec = AttentionSpec { qk_norm: Some(QkNorm::head(norm)), ..AttentionSpec::neox(at, hp)? };
    let activation = Activation::SwigluOai;
    let ffn: Box<dyn Block> = if at.index() < at.get_or("leading_dense_block_count", 0)? {
        Dense::load(at, FfnSpec { activation, ..FfnSpec::swiglu(at, hp)? })?.into()
    } else {
        Moe::load(at, MoeSpec { activation, ..MoeSpec::by_keys(at, hp, Score::Sigmoid)? })?.into()
    };
    Layer::load(at, hp, (Norms::PRE, norm), Attention::load(at, spec)?, ffn)
});
