//! The architectures: one file and one line of the registry each.

use std::fmt;

use tensor::Tensor;

use crate::blocks::{Decoder, Embedding, Head, Layer, NormSpec, Scales};
use crate::source::Source;
use crate::step::Step;
use crate::{Hparams, Mode, Result};

/// A loaded model's network: adds one forward pass to a graph.
pub(crate) trait Architecture: fmt::Debug + Send + Sync {
    /// The result of the step's mode.
    fn forward<'g>(&self, step: &Step<'g>) -> Tensor<'g>;

    /// Whether there is a graph of this mode.
    fn supports(&self, mode: Mode) -> bool {
        mode != Mode::Encode
    }
}

type LoadOwn = fn(&Source<'_>, &mut Hparams) -> Result<Box<dyn Architecture>>;
type LoadLayer = fn(&Source<'_>, &Hparams) -> Result<Layer>;
type LoadEmbedding = fn(&Source<'_>, &Hparams) -> Result<Embedding>;
type LoadHead = fn(&Source<'_>, &Hparams) -> Result<Head>;

/// A line of the registry.
#[derive(Debug)]
pub(crate) struct Arch {
    name: &'static str,
    load: Load,
    pub(crate) scales: Scales,
}

#[derive(Clone, Copy, Debug)]
enum Load {
    Own(LoadOwn),
    Decoder { embedding: LoadEmbedding, layer: LoadLayer, head: LoadHead },
}

impl Arch {
    /// A network written out.
    pub(crate) const fn own(name: &'static str, load: LoadOwn) -> Self {
        Self { name, load: Load::Own(load), scales: Scales::MIXER }
    }

    /// A [`Decoder`] of these layers, with a plain embedding and a head behind an RMS norm.
    pub(crate) const fn decoder(name: &'static str, layer: LoadLayer) -> Self {
        let embedding: LoadEmbedding = Embedding::load;
        let head: LoadHead = |at, hp| Head::load(at, hp, NormSpec::rms(at, hp)?);
        Self { name, load: Load::Decoder { embedding, layer, head }, scales: Scales::MIXER }
    }

    /// A decoder with another embedding.
    pub(crate) const fn embedding(mut self, load: LoadEmbedding) -> Self {
        if let Load::Decoder { embedding, .. } = &mut self.load {
            *embedding = load;
        }
        self
    }

    /// A decoder with another head.
    pub(crate) const fn head(mut self, load: LoadHead) -> Self {
        if let Load::Decoder { head, .. } = &mut self.load {
            *head = load;
        }
        self
    }

    /// With these `.scale` tensors applied.
    pub(crate) const fn scales(mut self, scales: Scales) -> Self {
        self.scales = scales;
        self
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn load(&self, file: &Source<'_>, hp: &mut Hparams) -> Result<Box<dyn Architecture>> {
        match self.load {
            Load::Own(load) => load(file, hp),
            Load::Decoder { embedding, layer, head } => Ok(Box::new(Decoder {
                embedding: embedding(file, hp)?,
                layers: file.layers(hp.n_layer, |at| layer(at, hp))?,
                head: head(file, hp)?,
            })),
        }
    }
}

macro_rules! architectures {
    ($($file:ident),* $(,)?) => {
        $(mod $file;)*

        static ALL: &[Arch] = &[$($file::ARCH),*];
    };
}

architectures! {
    deepseek2, gemma3, llama, mamba, mamba2, qwen2, qwen3, qwen3moe, rwkv7, t5, t5encoder,
}

/// The architecture of this name in GGUF files.
pub(crate) fn find(name: &str) -> Option<&'static Arch> {
    ALL.iter().find(|arch| arch.name == name)
}

/// The names of all architectures, as GGUF files spell them.
pub fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(Arch::name)
}
