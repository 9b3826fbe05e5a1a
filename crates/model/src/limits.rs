//! Sizes no real model exceeds. They keep sums and products of metadata values far from overflow, and a file of a
//! stranger from asking for absurd graphs.

/// One extent of a tensor: widths, vocabularies.
pub(crate) const MAX_EXTENT: usize = 1 << 28;
/// Layers, as in the reference engine.
pub(crate) const MAX_LAYERS: usize = 512;
/// Experts of a layer, as in the reference engine.
pub(crate) const MAX_EXPERTS: usize = 1024;
/// Heads of a layer.
pub(crate) const MAX_HEADS: usize = 1 << 14;
/// Elements of one head.
pub(crate) const MAX_HEAD_DIM: usize = 1 << 16;
/// Tokens that an indexer chooses for each token.
pub(crate) const MAX_CHOSEN: usize = 1 << 16;
/// Tokens whose keys an indexer makes one of, as in the reference engine.
pub(crate) const MAX_POOLED: usize = 64;
/// Tokens.
pub(crate) const MAX_CONTEXT: usize = 1 << 30;
