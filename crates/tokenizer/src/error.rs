//! What can be wrong with the vocabulary of a model file.

/// Result of loading a tokenizer.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a vocabulary cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file says `tokenizer.ggml.model = ..` with a name nobody knows.
    #[error("unknown tokenizer model {0:?} (tokenizer.ggml.model); known: {known}", known = crate::vocab::MODEL_NAMES)]
    UnknownModel(String),
    /// The file names a pre-tokenizer that does not exist here.
    #[error("unknown pre-tokenizer {0:?} (tokenizer.ggml.pre); the file may be newer than this program")]
    UnknownPreTokenizer(String),
    /// A key that this kind of vocabulary cannot do without.
    #[error("{key} is missing, but tokenizer model {model:?} needs it")]
    Missing {
        /// Metadata key.
        key: &'static str,
        /// `tokenizer.ggml.model`
        model: String,
    },
    /// A per-token array that does not cover all tokens.
    #[error("{key} has {got} entries for {n_tokens} tokens")]
    TooShort {
        /// Metadata key.
        key: &'static str,
        /// Entries found.
        got: usize,
        /// Tokens in the vocabulary.
        n_tokens: usize,
    },
    /// More text than 32-bit offsets reach.
    #[error(
        "{key} is too large: {n_bytes} bytes in {n} strings; the limit is 2^32 - 1 bytes and 2^30 strings"
    )]
    TooLarge {
        /// Metadata key.
        key: &'static str,
        /// Strings read.
        n: usize,
        /// Their bytes.
        n_bytes: usize,
    },
    /// Two tokens of one text: encoding would be ambiguous.
    #[error("tokens {first} and {second} have the same text {text:?}")]
    DuplicateToken {
        /// Lower id.
        first: u32,
        /// Higher id.
        second: u32,
        /// The text both have.
        text: String,
    },
    /// A normalization table that points outside of itself.
    #[error("tokenizer.ggml.precompiled_charsmap is damaged: {0}")]
    Charsmap(String),
    /// PLaMo 2 spells unknown characters in bytes and needs all of them.
    #[error(
        "the vocabulary has no token <0x{0:02X}>, but tokenizer model \"plamo2\" needs all 256 byte tokens"
    )]
    MissingByte(u8),
}
