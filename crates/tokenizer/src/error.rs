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
    /// A metadata key is missing or of the wrong type.
    #[error(transparent)]
    Gguf(#[from] gguf::Error),
    /// A per-token array that is not as long as the vocabulary.
    #[error(
        "{key} has {got} entries, but tokenizer.ggml.tokens has {n_tokens}: one for each token is needed"
    )]
    WrongLength {
        /// Metadata key.
        key: &'static str,
        /// Entries found.
        got: usize,
        /// Tokens in the vocabulary.
        n_tokens: usize,
    },
    /// A special token that does not exist.
    #[error(
        "tokenizer.ggml.{role}_token_id is {id}, but the vocabulary has {n_tokens} tokens, numbered from 0: correct the key or remove it"
    )]
    SpecialId {
        /// Metadata key without prefix and suffix.
        role: &'static str,
        /// What the file says.
        id: u32,
        /// Tokens in the vocabulary.
        n_tokens: usize,
    },
    /// A merge that joins nothing.
    #[error("tokenizer.ggml.merges, entry {rank}, is {merge:?}: two parts with a space between are needed")]
    Merge {
        /// Place in the list.
        rank: usize,
        /// What the file says.
        merge: String,
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
    /// A token that nobody means.
    #[error("token {id} has {n_bytes} bytes; the limit is {limit}", limit = crate::vocab::MAX_TOKEN_BYTES)]
    TokenTooLong {
        /// Its id.
        id: u32,
        /// Bytes of its text.
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
