//! What can go wrong with a template. Parsing answers never fails: what is not understood stays text.

use std::time::Duration;

/// Why a template cannot be used, or refused a conversation.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("the template has {bytes} bytes, the limit is {limit}")]
    SourceSize { bytes: usize, limit: usize },

    #[error(
        "line {line} of the template: an expression or `elif` chain of {depth} links, the limit is {limit}"
    )]
    Chain { line: usize, depth: usize, limit: usize },

    #[error("the template is not valid, line {line}: {message}")]
    Syntax { line: usize, message: String },

    #[error("the template failed in line {line}: {message}")]
    Render { line: usize, message: String },

    /// The template itself called `raise_exception`.
    #[error("the template refuses this conversation: {message}")]
    Raised { message: String },

    #[error("the template did more work than {limit} steps and was stopped")]
    Fuel { limit: u64 },

    #[error("the template wrote more than {limit} bytes and was stopped")]
    Output { limit: usize },

    #[error("the template took longer than {limit:?} and was stopped")]
    Time { limit: Duration },

    #[error("the messages are nested {depth} deep, the limit is {limit}")]
    Depth { depth: usize, limit: usize },

    #[error("the template engine broke, which is a bug of llama-rs: {message}")]
    Engine { message: String },

    #[error("no thread could be started for the template: {source}")]
    Thread { source: std::io::Error },

    #[error("no chat template is named `{name}`; there are {known}")]
    UnknownName { name: String, known: String },

    #[error("message {index}: {what}")]
    Message { index: usize, what: String },
}
