//! Attention to chosen tokens (DeepSeek-V3.2) or blocks of them (MiniMax M3): an indexer lets a token see only the
//! `top_k` that it scores highest. While there are no more than that, it lets all of them through, and nothing needs to
//! be scored. Longer contexts, where it would choose, are refused.

use super::{Error, Hparams, Result, Source};

/// Passes over the indexer of a layer.
///
/// # Errors
/// If the context that will be used is longer than what is chosen from it.
pub(crate) fn let_all_through(at: &Source<'_>, hp: &Hparams) -> Result<()> {
    let key = "attention.indexer.top_k";
    let top_k: usize = at.require(key)?;
    let n_chosen = top_k.saturating_mul(at.get_or("attention.indexer.block_size", 1)?);
    if hp.n_ctx > n_chosen {
        let problem = format!(
            "tokens are chosen from a context of {}, which is not supported; use a context of at most {n_chosen}",
            hp.n_ctx
        );
        return Err(Error::value(&at.full_key(key), top_k, problem));
    }
    at.at("indexer").ignore_all("a context no longer than what it chooses goes through whole");
    Ok(())
}
