//! What can go wrong: parameters out of range, and logits no token can be drawn from.

use crate::TokenId;

/// Error of this crate.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A parameter has a value that has no meaning.
    #[error("sampling parameter {name} is {value}: it must be {expected}")]
    InvalidParam {
        /// Field of [`crate::Params`].
        name: &'static str,
        /// What was given.
        value: f64,
        /// What would be right.
        expected: &'static str,
    },
    /// A name in the order of samplers is unknown.
    #[error("unknown sampler {name:?}: known are {known}")]
    UnknownSampler {
        /// What was given.
        name: String,
        /// Every name or letter that is known.
        known: String,
    },
    /// A parameter names a token that the vocabulary lacks.
    #[error("{param} names token {token}, but the vocabulary has {n_tokens} tokens")]
    TokenOutOfRange {
        /// Field of [`crate::Params`].
        param: &'static str,
        /// What was given.
        token: TokenId,
        /// Size of the vocabulary.
        n_tokens: usize,
    },
    /// A sampler needs to know more of the vocabulary than [`crate::VocabInfo`] says.
    #[error("sampler {sampler} needs {needs}, which this vocabulary does not have: leave the sampler out")]
    VocabLacks {
        /// Name of the sampler.
        sampler: &'static str,
        /// What is missing.
        needs: &'static str,
    },
    /// The logits are not those of this vocabulary.
    #[error("got {found} logits for a vocabulary of {expected} tokens")]
    LogitCount {
        /// Size of the vocabulary.
        expected: usize,
        /// Length of the slice.
        found: usize,
    },
    /// A logit is NaN or +infinity: the model's computation broke down. No random number was drawn.
    #[error(
        "the logit of token {token} is {value}: the model computed garbage (damaged weights, or an \
         activation overflow; try f32 activations or another quantization)"
    )]
    BadLogit {
        /// First token with a bad logit.
        token: TokenId,
        /// NaN or +infinity.
        value: f32,
    },
    /// Every token has the logit -infinity, so none may be drawn.
    #[error("every token is ruled out (by logit biases, a grammar, or the model): none can be drawn")]
    NothingLeft,
    /// The grammar allows no token, or takes too much to say which.
    #[error(transparent)]
    Grammar(#[from] grammar::Error),
}
