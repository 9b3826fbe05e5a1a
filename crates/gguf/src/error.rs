//! What can be wrong with a GGUF file. Every message names the thing, the numbers and the place.

use std::path::PathBuf;

/// Why a file could not be read or written.
///
/// The cause is part of the message, and so not also the error's source: who prints a chain of errors has it once.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("cannot {action} {}: {cause}", path.display())]
    Io { action: &'static str, path: PathBuf, cause: std::io::Error },
    #[error(
        "no space for {}: {cause} after {written} bytes; the file was not made; free space or choose another disk",
        path.display()
    )]
    NoSpace { path: PathBuf, written: u64, cause: std::io::Error },
    #[error(
        "no memory for {n_bytes} bytes of weights: {cause}; leave them in the mapped file, or choose a smaller one"
    )]
    NoMemory { n_bytes: u64, cause: std::io::Error },
    #[error(
        "cannot lock {n_bytes} bytes in memory: {cause}; raise the limit (`ulimit -l`), or do without locking"
    )]
    Lock { n_bytes: u64, cause: std::io::Error },
    #[error("not a GGUF file: it starts with {found:02x?}, not with \"GGUF\"")]
    Magic { found: Vec<u8> },
    #[error("GGUF version {found} is not supported; versions 2 and 3 are{hint}")]
    Version { found: u32, hint: &'static str },
    #[error("the file ends too soon: {what} needs {needed} bytes at offset {offset}, the file has {len}")]
    Truncated { what: String, offset: u64, needed: u64, len: u64 },
    #[error("{what} at offset {offset}: {problem}")]
    Invalid { what: String, offset: u64, problem: String },
    #[error("metadata key {key:?} is missing")]
    MissingKey { key: String },
    #[error("metadata key {key:?}: expected {wanted}, found {found}")]
    WrongType { key: String, wanted: &'static str, found: String },
    #[error("tensor {name:?}: {problem}")]
    Tensor { name: String, problem: String },
    #[error("split file: {problem}")]
    Split { problem: String },
}

pub type Result<T, E = Error> = std::result::Result<T, E>;
