//! `minimax-m3`: MiniMax M3: attention to blocks that an indexer chooses, normalized heads, experts with clamped gates
//! chosen as in DeepSeek-V3.

use crate::blocks::*;
use crate::limits::MAX_CHOSEN;

pub(super) const ARCH: Arch = Arch::decoder("minimax-m3", |at, hp| {
    let norm = NormSpec::rms(at, hp)?;
    let spec = AttentionSpec { qk_norm: Some(QkNorm::head(norm)), ..AttentionSpec::neox(at, hp)? };
    let attention = Attention::load(at, spec)?;
    let activation = Activation::SwigluOai;
    if at.index() < at.get_or("leading_dense_block_count", 0)? {
        let ffn = Dense::load(at, FfnSpec { activation, ..FfnSpec::swiglu(at, hp)? })?;
        return Layer::load(at, hp, (Norms::PRE, norm), attention, ffn);
    }
    let attention = attention.choosing(Choice::of_blocks(at, hp, &spec, norm, blocks(at, &spec)?)?);
    let ffn = Moe::load(at, MoeSpec { activation, ..MoeSpec::by_keys(at, hp, Score::Sigmoid)? })?;
    Layer::load(at, hp, (Norms::PRE, norm), attention, ffn)
});

/// Those with the greatest score of a token, for each key-value head by a head of the indexer; the last ones always.
fn blocks(at: &Source<'_>, attention: &AttentionSpec) -> Result<BlockSpec> {
    let require = |key: &str| at.require::<usize>(key);
    let value = |key: &str, value: usize, problem| Err(Error::value(&at.full_key(key), value, problem));
    let (heads, n_head_kv) = ("attention.indexer.head_count", attention.n_head_kv);
    let n_head = require(heads)?;
    if n_head != n_head_kv {
        return value(heads, n_head, format!("must be one for each of {n_head_kv} key-value heads"));
    }
    let (local, k) = ("attention.indexer.local_blocks", require(TOP_K)?);
    let n_local = require(local)?;
    if n_local > k {
        return value(local, n_local, format!("is more than the {k} that are chosen"));
    }
    let size = "attention.indexer.block_size";
    let block = Error::check_size(&at.full_key(size), require(size)?, MAX_CHOSEN)?;
    Ok(BlockSpec { k, block, by: Scores::Max { n_local } })
}
