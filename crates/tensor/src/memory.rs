//! What a layer remembers between steps. A model's memory is a list of these, one a layer and kind, so any mix of
//! attention and recurrence is a valid cache.

/// Index into the model's list of memories.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MemoryId(pub u32);

/// Which token stream a memory follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Timeline {
    /// The tokens of the sequence itself.
    Sequence,
    /// The tokens given to the encoder, which decoder layers attend to across.
    Encoder,
}

/// Where attention finds its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ValueStore {
    /// Stored beside the keys, `[dim, n_head_kv]` a token.
    Own { dim: usize },
    /// The first `dim` elements of each key: latent attention (MLA) stores one vector for both.
    InKey { dim: usize },
    /// Nowhere: keys alone, by which an indexer chooses.
    None,
}

impl ValueStore {
    /// Elements of one value.
    pub fn dim(self) -> usize {
        match self {
            Self::Own { dim } | Self::InKey { dim } => dim,
            Self::None => 0,
        }
    }
}

/// One layer's memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MemorySpec {
    /// Keys and values of every token still in reach.
    Kv {
        n_head_kv: usize,
        /// Elements of one key.
        key_dim: usize,
        value: ValueStore,
        /// Tokens that each stored row stands for: of so many, what the last one appends is kept. A token sees a row if
        /// it sees all of its tokens.
        ratio: usize,
        /// Tokens further back than this are never read again and may be freed.
        window: Option<usize>,
        timeline: Timeline,
    },
    /// `dim` float32 of each of the last `window` tokens, which are never rounded: what is still to be compressed.
    Recent { dim: usize, window: usize },
    /// A fixed-size recurrent state of `len` float32 elements, zero before the first token.
    State { len: usize },
}
