//! Opening model files for commands: errors name the file.

use std::path::Path;

use anyhow::{Context, Result};
use gguf::Gguf;
use tokenizer::Tokenizer;

/// The file, mapped and checked.
pub(crate) fn open(path: &Path) -> Result<Gguf> {
    Gguf::open(path).with_context(|| path.display().to_string())
}

/// The vocabulary of a model file.
pub(crate) fn tokenizer(path: &Path) -> Result<Tokenizer> {
    Tokenizer::from_gguf(open(path)?.metadata()).with_context(|| path.display().to_string())
}
