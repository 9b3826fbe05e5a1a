//! Which tokens' texts merge to themselves: such a word needs one look-up instead of all its merges.

use crate::TokenId;
use std::sync::atomic::{AtomicU8, Ordering};

/// One note for each token, filled in as words come by. Threads may note the same thing twice; it is always equal.
#[derive(Debug)]
pub(crate) struct Memo(Box<[AtomicU8]>);

const YES: u8 = 1;
const NO: u8 = 2;

impl Memo {
    pub(crate) fn new(n_tokens: usize) -> Self {
        Self(std::iter::repeat_with(AtomicU8::default).take(n_tokens).collect())
    }

    /// Whether the token is known to be what its text merges to.
    #[inline]
    pub(crate) fn merges_to_itself(&self, id: TokenId) -> bool {
        self.0.get(id as usize).is_some_and(|note| note.load(Ordering::Relaxed) == YES)
    }

    pub(crate) fn note(&self, id: TokenId, merges_to_itself: bool) {
        if let Some(note) = self.0.get(id as usize) {
            note.store(if merges_to_itself { YES } else { NO }, Ordering::Relaxed);
        }
    }
}
