//! A loaded model: its weights, its memories, and the graphs that describe it.

use gguf::Gguf;
use tensor::{Graph, MemorySpec, Output, Weight, passes};

use crate::arch::{self, Architecture};
use crate::source::Loader;
use crate::step::Step;
use crate::{Error, Hparams, Result};

/// What the engine has decided before a model is loaded.
#[derive(Clone, Debug, Default)]
pub struct LoadOptions {
    /// The context length that will be used; models with two sets of rotary factors choose by it. The trained
    /// length if absent.
    pub n_ctx: Option<usize>,
}

/// What a graph computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// `Output::Logits`, `[n_vocab, n_outputs]`.
    Logits,
    /// `Output::Embeddings`, `[n_embd_out, n_outputs]`: hidden states after the final norm.
    Embeddings,
    /// `Output::Embeddings`, `[n_label, n_outputs]`: what the classifier of a reranker makes of each hidden state.
    Scores,
    /// The encoder of a model that has one. Fills the memories of the encoder's timeline and gives its hidden
    /// states as `Output::Embeddings`.
    Encode,
}

/// A weight and where it belongs.
#[derive(Clone, Debug)]
pub struct NamedWeight {
    /// The tensor's name in the file.
    pub name: String,
    pub weight: Weight,
    pub layer: Option<usize>,
}

/// A memory and the layer it belongs to.
#[derive(Clone, Debug)]
pub struct NamedMemory {
    pub spec: MemorySpec,
    pub layer: usize,
}

/// A model whose every tensor has been checked. Holds no weight data and knows no device.
#[derive(Debug)]
pub struct Model {
    architecture: &'static str,
    hparams: Hparams,
    weights: Vec<NamedWeight>,
    memories: Vec<NamedMemory>,
    max_context: Option<usize>,
    net: Box<dyn Architecture>,
}

impl Model {
    /// Reads the description of a model, checking every tensor's name, shape and type. Reads no tensor data.
    ///
    /// # Errors
    /// If the architecture is unknown, or metadata and tensors are not what it needs, or there are tensors it does
    /// not know.
    pub fn load(file: &Gguf, options: &LoadOptions) -> Result<Self> {
        let name: &str = file.metadata().require("general.architecture")?;
        let arch = arch::find(name).ok_or_else(|| Error::UnknownArchitecture(name.to_owned()))?;
        let loader = Loader::new(file, arch.name(), arch.scales);
        let at = loader.source();
        let mut hparams = Hparams::load(&at, options)?;
        let net = arch.load(&at, &mut hparams)?;
        let claimed = loader.finish()?;
        Ok(Self {
            architecture: arch.name(),
            hparams,
            weights: claimed.weights,
            memories: claimed.memories,
            max_context: claimed.max_context,
            net,
        })
    }

    /// The architecture's name in GGUF files.
    pub fn architecture(&self) -> &'static str {
        self.architecture
    }

    pub fn hparams(&self) -> &Hparams {
        &self.hparams
    }

    /// Indexed by `WeightId`.
    pub fn weights(&self) -> &[NamedWeight] {
        &self.weights
    }

    /// Indexed by `MemoryId`.
    pub fn memories(&self) -> &[NamedMemory] {
        &self.memories
    }

    /// Tokens that a sequence may have, where the context length of [`LoadOptions`] left something out that a longer one
    /// needs.
    pub fn max_context(&self) -> Option<usize> {
        self.max_context
    }

    /// Whether [`Mode::Encode`] must run before tokens can be generated.
    pub fn has_encoder(&self) -> bool {
        self.supports(Mode::Encode)
    }

    /// Whether the model has a graph of this mode.
    pub fn supports(&self, mode: Mode) -> bool {
        self.net.supports(mode)
    }

    /// The optimized graph of a mode.
    ///
    /// # Panics
    /// If the model does not support the mode: ask [`Model::supports`] first.
    pub fn graph(&self, mode: Mode) -> Graph {
        assert!(self.supports(mode), "`{}` has no graph of {mode:?}", self.architecture);
        let graph = Graph::new();
        let result = self.net.forward(&Step::new(&graph, mode, &self.memories));
        let output = match mode {
            Mode::Logits => Output::Logits,
            Mode::Embeddings | Mode::Scores | Mode::Encode => Output::Embeddings,
        };
        graph.output(output, result);
        passes::optimize(graph)
    }
}
