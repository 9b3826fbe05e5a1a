//! The templates of real models, where `cargo xtask models` puts them.

use std::path::PathBuf;
use std::{env, fs};

/// The text of the template of that file name.
pub(crate) fn template(name: &str) -> String {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = set("LLAMA_RS_CACHE").or_else(|| set("XDG_CACHE_HOME").map(|base| base.join("llama-rs")));
    let cache =
        cache.or_else(|| set("HOME").map(|home| home.join(".cache/llama-rs"))).expect("a cache folder");
    let path = cache.join("templates").join(name);
    fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; run `cargo xtask models templates`", path.display()))
}
