//! What samplers need to know of a vocabulary. It is not a tokenizer: it holds ids and a way to get a text.

use crate::TokenId;
use std::fmt;
use std::sync::Arc;

/// Facts of a vocabulary.
#[derive(Debug, Clone, Default)]
pub struct VocabInfo {
    /// Number of tokens, which is the number of logits.
    pub n_tokens: usize,
    /// Tokens that end a generation.
    pub eog: Vec<TokenId>,
    /// Token that `infill` ends with: end of turn, or else end of sequence.
    pub end: Option<TokenId>,
    /// Tokens that the model file says must never be generated.
    pub suppressed: Vec<TokenId>,
    /// Text of a token; only `infill` needs it.
    pub pieces: Option<PieceFn>,
}

impl VocabInfo {
    /// A vocabulary of which only the size is known.
    pub fn of_size(n_tokens: usize) -> Self {
        Self { n_tokens, ..Self::default() }
    }
}

/// Appends the text of a token, without special tokens' text, to a buffer.
#[derive(Clone)]
pub struct PieceFn(Arc<Append>);

type Append = dyn Fn(TokenId, &mut Vec<u8>) + Send + Sync;

impl PieceFn {
    /// Wraps a function that appends the bytes of a token to the buffer it is given.
    pub fn new(append: impl Fn(TokenId, &mut Vec<u8>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(append))
    }

    /// Replaces the content of `buffer` by the text of `token`.
    pub(crate) fn read(&self, token: TokenId, buffer: &mut Vec<u8>) {
        buffer.clear();
        (self.0)(token, buffer);
    }
}

impl fmt::Debug for PieceFn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PieceFn")
    }
}
