//! Where the tests find vocabularies. They are other people's files and not part of the repository.

use gguf::Gguf;
use std::path::PathBuf;
use tokenizer::Tokenizer;

/// The cache that `cargo xtask models` fills.
fn cache() -> PathBuf {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("LLAMA_RS_CACHE")
        .or_else(|| set("XDG_CACHE_HOME").map(|cache| cache.join("llama-rs")))
        .or_else(|| std::env::home_dir().map(|home| home.join(".cache/llama-rs")))
        .expect("a home folder, or LLAMA_RS_CACHE")
}

/// The named vocabulary's file.
pub(crate) fn open(name: &str) -> Gguf {
    let path = cache().join(format!("vocab/ggml-vocab-{name}.gguf"));
    Gguf::open(&path).unwrap_or_else(|e| panic!("{e}: run `cargo xtask models vocab` first"))
}

/// The named vocabulary.
pub(crate) fn load(name: &str) -> Tokenizer {
    Tokenizer::from_gguf(open(name).metadata()).unwrap_or_else(|e| panic!("{name}: {e}"))
}
