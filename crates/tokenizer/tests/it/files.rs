//! Where the tests find vocabularies. They are other people's files and not part of the repository.

use gguf::Gguf;
use tokenizer::Tokenizer;

/// The named vocabulary's file.
pub(crate) fn open(name: &str) -> Gguf {
    let path = testkit::cached(&format!("vocab/ggml-vocab-{name}.gguf"));
    Gguf::open(&path).unwrap_or_else(|e| panic!("{e}"))
}

/// The named vocabulary.
pub(crate) fn load(name: &str) -> Tokenizer {
    Tokenizer::from_gguf(open(name).metadata()).unwrap_or_else(|e| panic!("{name}: {e}"))
}
