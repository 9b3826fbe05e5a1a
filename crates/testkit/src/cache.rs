//! Where the tests find other people's files: the cache that `cargo xtask models` fills.

use std::env;
use std::path::PathBuf;

/// The path of a file in the cache.
///
/// # Panics
/// If it is not there: says how to fetch it.
#[must_use]
pub fn cached(file: &str) -> PathBuf {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = set("LLAMA_RS_CACHE")
        .or_else(|| set("XDG_CACHE_HOME").map(|base| base.join("llama-rs")))
        .or_else(|| env::home_dir().map(|home| home.join(".cache/llama-rs")))
        .expect("a home folder, or LLAMA_RS_CACHE");
    let path = cache.join(file);
    assert!(path.is_file(), "{} is not there: run `cargo xtask models`", path.display());
    path
}
