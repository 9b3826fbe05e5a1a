//! Why a file cannot be used as a model.

use crate::limits;

/// Everything that can be wrong with a model file. Building a graph of a loaded model cannot fail.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error(transparent)]
    File(#[from] gguf::Error),
    #[error("architecture `{0}` is not supported; docs/architectures.md lists those that are")]
    UnknownArchitecture(String),
    /// A metadata value that no model can have.
    #[error("metadata {key}: {value} {problem}")]
    Value { key: String, value: String, problem: String },
    #[error("tensor {name}: missing; the file is truncated, or its metadata describes another model")]
    MissingTensor { name: String },
    #[error("tensor {name}: expected {expected:?}, found {found:?}")]
    Shape { name: String, expected: Vec<usize>, found: Vec<u64> },
    #[error("tensor {name}: type {found} cannot be {used_as}")]
    Type { name: String, found: String, used_as: &'static str },
    #[error("tensor {name}: {id} is no id, which are 0 to {}", limit - 1)]
    Id { name: String, id: i32, limit: usize },
    /// Tensors nothing asked for: the file is of another version, and running it would silently lie.
    #[error("{n} tensors mean nothing to `{architecture}`: {}{}", names.join(", "), if *n > names.len() { ", ..." } else { "" })]
    Unclaimed {
        architecture: &'static str,
        n: usize,
        /// The first few of them.
        names: Vec<String>,
    },
    #[error("{what}: {value} is more than the limit of {limit}")]
    TooLarge { what: String, value: usize, limit: usize },
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    #[expect(clippy::needless_pass_by_value, reason = "numbers and short texts, given as they are")]
    pub(crate) fn value(key: &str, value: impl ToString, problem: impl Into<String>) -> Self {
        Self::Value { key: key.to_owned(), value: value.to_string(), problem: problem.into() }
    }

    /// Fails unless `value` is in `1..=limit`.
    pub(crate) fn check_size(key: &str, value: usize, limit: usize) -> Result<usize> {
        match value {
            0 => Err(Self::value(key, 0, "must be positive")),
            _ if value > limit => Err(Self::TooLarge { what: format!("metadata {key}"), value, limit }),
            _ => Ok(value),
        }
    }

    /// Fails unless `value` can be one extent of a tensor.
    pub(crate) fn check_extent(key: &str, value: usize) -> Result<usize> {
        Self::check_size(key, value, limits::MAX_EXTENT)
    }
}
