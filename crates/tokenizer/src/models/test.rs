//! The vocabulary of tests: every five bytes are hashed to some token. Text does not come back from it.

use crate::TokenId;

/// Bytes of a token.
const N_BYTES: usize = 5;

/// Appends the tokens of `text`.
pub(crate) fn encode(n_tokens: usize, text: &str, out: &mut Vec<TokenId>) {
    let Some(n_tokens) = std::num::NonZeroU64::new(n_tokens as u64) else { return };
    for chunk in text.as_bytes().chunks(N_BYTES) {
        let hash = chunk.iter().fold(0, |hash: u64, &byte| hash * 31 + u64::from(byte));
        out.push((hash % n_tokens) as TokenId);
    }
}
