//! What can go wrong when a model is judged.

use std::io;

/// Why there is no result. Every message has the cause, the numbers and a way out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error(transparent)]
    Engine(#[from] engine::Error),
    #[error("log-probabilities of the base model: {0}")]
    Io(io::Error),
    #[error(
        "{needed} tokens are needed for windows of {n_ctx}, the text has {found}; use a longer text or a smaller context"
    )]
    TextTooShort { needed: usize, found: usize, n_ctx: usize },
    #[error("a context of {n_ctx} tokens has no second half to score; use at least {min}")]
    ContextTooSmall { n_ctx: usize, min: usize },
    #[error("a stride of {stride} tokens needs a context of more than {stride} tokens, not {n_ctx}")]
    StrideTooLong { stride: usize, n_ctx: usize },
    #[error("not a file of log-probabilities: {0}")]
    BadBase(String),
    #[error(
        "the base model has a vocabulary of {base} tokens, this model one of {model}; only models of one vocabulary \
         can be compared"
    )]
    OtherVocabulary { base: usize, model: usize },
    #[error("token {token} of the base file is not in the vocabulary of {n_vocab} tokens")]
    UnknownToken { token: i64, n_vocab: usize },
    #[error("the task file is malformed: {0}")]
    BadTasks(String),
    #[error(
        "task {task} needs {needed} tokens in {sequences} sequences, there is room for {room} in {max_sequences}; use a \
         larger context or batch"
    )]
    TaskTooLarge { task: usize, needed: usize, sequences: usize, room: usize, max_sequences: usize },
    #[error("task {task} cannot be scored: {problem}")]
    BadTask { task: usize, problem: &'static str },
    #[error("an input of {weight} is not finite; the model computes garbage on this text")]
    InputNotFinite { weight: String },
    #[error("the model gave a logit that is not a number for token {position} of the text")]
    NotANumber { position: usize },
}

/// By hand, as the message has the cause: a chain of errors would print it twice.
impl From<io::Error> for Error {
    fn from(cause: io::Error) -> Self {
        Self::Io(cause)
    }
}

pub type Result<T, E = Error> = std::result::Result<T, E>;
