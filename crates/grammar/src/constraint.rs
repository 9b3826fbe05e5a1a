//! What a sampler and an engine see of a grammar, of whichever kind.

use crate::{Result, TokenId, TokenSet};

/// Follows one text in the making and says which tokens may come next.
///
/// After an error of [`Self::accept`] the constraint is where it was; other errors are final for this text.
pub trait Constraint: Send + std::fmt::Debug {
    /// The tokens that may come next, tokens that end the text among them where it is complete; `None` while any
    /// may. Can take milliseconds, and can be computed beside the forward pass.
    ///
    /// # Errors
    /// [`crate::Error::DeadEnd`] where none may; [`crate::Error::Limit`] where finding out takes too much.
    fn mask(&mut self) -> Result<Option<&TokenSet>>;

    /// Whether one token may come next; much cheaper than a mask.
    ///
    /// # Errors
    /// As [`Self::mask`], and [`crate::Error::UnknownToken`].
    fn allows(&mut self, token: TokenId) -> Result<bool>;

    /// Goes on by a token that was chosen.
    ///
    /// # Errors
    /// [`crate::Error::Refused`] for one that may not come next.
    fn accept(&mut self, token: TokenId) -> Result<()>;

    /// Goes on by a text that is no whole token, as where a trigger begins within one; counts as one token.
    ///
    /// # Errors
    /// [`crate::Error::RefusedText`] for one that may not come next.
    fn accept_bytes(&mut self, bytes: &[u8]) -> Result<()>;

    /// Whether the text may end here.
    fn is_complete(&self) -> bool;

    /// Takes back the last tokens.
    ///
    /// # Errors
    /// [`crate::Error::Rollback`] for more than are remembered; at least [`crate::Limits::rollback`] are.
    fn rollback(&mut self, n_tokens: usize) -> Result<()>;

    /// Begins a new text.
    ///
    /// # Errors
    /// Where the engine behind it fails.
    fn reset(&mut self) -> Result<()>;

    /// A copy with all its state.
    fn boxed_clone(&self) -> Box<dyn Constraint>;
}

impl Clone for Box<dyn Constraint> {
    fn clone(&self) -> Self {
        self.boxed_clone()
    }
}
