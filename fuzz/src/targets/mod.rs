//! The targets, a file each. What an input means is said at the head of each file.

pub(crate) mod answer;
pub(crate) mod detokenize;
pub(crate) mod gbnf;
pub(crate) mod gguf;
pub(crate) mod schema;
pub(crate) mod template;
pub(crate) mod tokenize;
pub(crate) mod vocabulary;
mod walk;
