//! Building blocks shared by architectures. A block's `load` claims its weights, reads the metadata only it needs
//! and declares what it must remember; its `forward` adds nodes to a graph.

use std::fmt;

mod activation;
mod attention;
mod classifier;
mod compressor;
mod conv;
mod decoder;
mod delta_net;
mod embedding;
mod encoder;
mod ffn;
mod head;
mod hyper;
mod indexer;
mod linear;
mod mamba;
mod mla;
mod moe;
mod norm;
mod rope;
mod streams;
mod window;

pub(crate) use activation::Activation;
pub(crate) use attention::{Attention, AttentionSpec, QkNorm};
pub(crate) use classifier::Classifier;
pub(crate) use compressor::{Compressor, CompressorSpec};
pub(crate) use conv::ShortConv;
pub(crate) use decoder::{Decoder, Layer, Norms};
pub(crate) use delta_net::{Decay, DeltaNet, Kda, KeyHeads};
pub(crate) use embedding::Embedding;
pub(crate) use encoder::{Encoder, PostNormLayer};
pub(crate) use ffn::{Bare, Dense, FfnSpec, Gate};
pub(crate) use head::Head;
pub(crate) use hyper::{HyperDecoder, HyperLayer, HyperSpec, Merge};
pub(crate) use indexer::{BlockSpec, Choice, IndexerSpec, Rotated, TOP_K};
pub(crate) use linear::{Linear, Scales};
pub(crate) use mamba::{Mamba, Mamba2, SsmSpec};
pub(crate) use mla::{Mla, MlaSpec};
pub(crate) use moe::{Experts, Moe, MoeSpec, SMALLEST_SUM, Score};
pub(crate) use norm::{Norm, NormSpec};
pub(crate) use rope::Rope;
pub(crate) use streams::{mix, mix_by_rows};
pub(crate) use window::{Full, Window};

pub(crate) use crate::arch::{Arch, Architecture};
pub(crate) use crate::source::Source;
pub(crate) use crate::step::Step;
pub(crate) use crate::{Error, Hparams, Mode, Result};
pub(crate) use tensor::{
    Mask, MemoryId, MemorySpec, NormKind, RopeOrder, Scores, Temperature, Tensor, Timeline, Unary,
    ValueStore, Weight,
};

/// Maps hidden states to hidden states: what mixes tokens, a feed-forward, a whole layer.
pub(crate) trait Block: fmt::Debug + Send + Sync {
    fn forward<'g>(&self, step: &Step<'g>, x: Tensor<'g>) -> Tensor<'g>;
}

impl<B: Block + 'static> From<B> for Box<dyn Block> {
    fn from(block: B) -> Self {
        Box::new(block)
    }
}
