//! What can go wrong when a model runs. Every message has the cause, the numbers and a way out.

use crate::SeqId;

/// Why something did not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error(transparent)]
    File(#[from] gguf::Error),
    #[error(transparent)]
    Model(#[from] model::Error),
    #[error(transparent)]
    Device(#[from] backend::Error),
    #[error("token {token} at index {index} is not in the vocabulary of {n_vocab} tokens")]
    UnknownToken { token: u32, index: usize, n_vocab: usize },
    #[error(
        "the context is full: {needed} more tokens are wanted, {free} of {total} are free; use a larger context"
    )]
    ContextFull { needed: usize, free: usize, total: usize },
    #[error("no room for another sequence: all {max} are in use; allow more or end one")]
    TooManySequences { max: usize },
    #[error("{0:?} is not a sequence of this context")]
    UnknownSequence(SeqId),
    #[error("{0:?} occurs twice in one batch")]
    RepeatedSequence(SeqId),
    #[error(
        "this model reads a text as a whole, and {n_tokens} tokens do not fit one step of {n_ubatch}; use larger steps"
    )]
    StepTooSmall { n_tokens: usize, n_ubatch: usize },
    #[error(
        "a sequence would have {n_tokens} tokens, and the model was loaded for at most {max}, beyond which it attends \
         in another way; load it for a longer context"
    )]
    SequenceTooLong { n_tokens: usize, max: usize },
    #[error("the vocabulary of the model file: {0}")]
    Tokenizer(#[from] tokenizer::Error),
    #[error(transparent)]
    Sampling(#[from] sampling::Error),
    #[error("the prompt has no tokens; give it some text, or the token the model starts with")]
    EmptyPrompt,
    #[error(
        "the prompt has {n_tokens} tokens, the context {n_ctx}; shorten the prompt or use a larger context"
    )]
    PromptTooLong { n_tokens: usize, n_ctx: usize },
    #[error("{n_waiting} requests wait already, which is the limit; try again later or raise the limit")]
    QueueFull { n_waiting: usize },
    #[error("{n_parallel} requests at once need as many sequences, but the context has {n_seq_max}")]
    TooFewSequences { n_parallel: usize, n_seq_max: usize },
    #[error("a step failed, and the requests in it with it: {cause}")]
    StepFailed { cause: String },
    #[error("the engine has stopped: {cause}")]
    EngineStopped { cause: String },
    #[error("this model cannot compute {what}")]
    NotSupported { what: &'static str },
}

pub type Result<T, E = Error> = std::result::Result<T, E>;
