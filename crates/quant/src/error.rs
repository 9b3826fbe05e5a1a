//! What can go wrong with a caller's sizes, names and values.

use crate::DType;

/// An error of this crate. Sizes are in elements or bytes, as said.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The name is no tensor type.
    #[error("`{name}` is not a tensor type; use one of F32, F16, Q4_K, Q8_0, ...")]
    UnknownType { name: String },

    /// A row is not a whole number of blocks.
    #[error(
        "{dtype}: a row of {len} values is not a multiple of the block size {}; choose another type",
        dtype.block_len()
    )]
    RaggedRow { dtype: DType, len: usize },

    /// The byte buffer does not fit the values.
    #[error("{dtype}: expected {expected} bytes, found {found}")]
    ByteCount { dtype: DType, expected: usize, found: usize },

    /// The bytes are not a whole number of blocks.
    #[error("{dtype}: {len} bytes are not a multiple of the {} bytes of a block", dtype.block_bytes())]
    RaggedBytes { dtype: DType, len: usize },

    /// The values are not whole rows.
    #[error("{len} values are not a whole number of rows of {row_len}")]
    RaggedRows { len: usize, row_len: usize },

    /// One importance a value of a row is needed.
    #[error("expected importance for each of the {expected} values of a row, found {found}")]
    ImportanceCount { expected: usize, found: usize },

    /// The type is too coarse to be used without importance.
    #[error("{dtype} needs an importance matrix; make one from sample text, or choose a larger type")]
    NeedsImportance { dtype: DType },

    /// A value that no block can hold.
    #[error("{dtype}: cannot encode value {index}: it is {value}")]
    ValueNotFinite { dtype: DType, index: usize, value: f32 },

    /// An importance must be finite and not negative.
    #[error("importance {index} is {value}; it must be finite and not negative")]
    BadImportance { index: usize, value: f32 },

    /// A block that no encoder writes: a scale or value that is NaN or infinite.
    #[error("{dtype}: block {block} holds a NaN or infinite {what}; the data is damaged")]
    NotFinite { dtype: DType, block: usize, what: &'static str },
}

impl Error {
    /// The same error of a longer tensor, of which `n_blocks` came before.
    #[must_use]
    pub fn behind(mut self, n_blocks: usize) -> Self {
        if let Self::NotFinite { block, .. } = &mut self {
            *block += n_blocks;
        }
        self
    }
}
