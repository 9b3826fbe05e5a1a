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
        matches!(mode, Mode::Logits | Mode::Embeddings)
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
    /// Every token sees all others, whatever the file says.
    bidirectional: bool,
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
        Self { name, load: Load::Own(load), bidirectional: false, scales: Scales::MIXER }
    }

    /// A [`Decoder`] of these layers, with a plain embedding and a head behind an RMS norm.
    pub(crate) const fn decoder(name: &'static str, layer: LoadLayer) -> Self {
        let embedding: LoadEmbedding = Embedding::load;
        let head: LoadHead = |at, hp| Head::load(at, hp, NormSpec::rms(at, hp)?);
        Self {
            name,
            load: Load::Decoder { embedding, layer, head },
            bidirectional: false,
            scales: Scales::MIXER,
        }
    }

    /// A decoder with another embedding.
    pub(crate) const fn embedding(mut self, load: LoadEmbedding) -> Self {
        if let Load::Decoder { embedding, .. } = &mut self.load {
            *embedding = load;
        }
        self
    }

    /// A decoder with other layers.
    pub(crate) const fn layer(mut self, load: LoadLayer) -> Self {
        if let Load::Decoder { layer, .. } = &mut self.load {
            *layer = load;
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

    /// A decoder whose head is behind a layer norm.
    pub(crate) const fn layer_normed(self) -> Self {
        self.head(|at, hp| Head::load(at, hp, NormSpec::layer(at, hp)?))
    }

    /// With these `.scale` tensors applied.
    pub(crate) const fn scales(mut self, scales: Scales) -> Self {
        self.scales = scales;
        self
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// With attention in both directions.
    pub(crate) const fn bidirectional(mut self) -> Self {
        self.bidirectional = true;
        self
    }

    pub(crate) fn load(&self, file: &Source<'_>, hp: &mut Hparams) -> Result<Box<dyn Architecture>> {
        hp.causal &= !self.bidirectional;
        for i in hp.n_layer..hp.n_layer_all() {
            file.layer(i).ignore_all("draft layers guess tokens ahead; the model itself does without");
        }
        match self.load {
            Load::Own(load) => load(file, hp),
            Load::Decoder { embedding, layer, head } => Ok(Box::new(Decoder {
                embedding: embedding(file, hp)?,
                layers: file.layers(hp.n_layer, |at| Ok(layer(at, hp)?.into()))?,
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
    afmoe, apertus, arcee, arctic, arwkv7, baichuan, bailingmoe, bailingmoe2, bailingmoe3, bert, bitnet, bloom, chameleon, chatglm,
    codeshell, cogvlm, cohere2, cohere2moe, command_r, dbrx, deci, deepseek, deepseek2, deepseek2_ocr, deepseek32, deepseek4, dots1, dots3note, dream,
    ernie4_5, ernie4_5_moe, eurobert, exaone, exaone4, exaone_moe, falcon, falcon_h1, gemma, gemma2, gemma3, gemma3n,
    gemma4, gemma_embedding, glm4, glm4moe, glm5_next, glm_dsa, gpt2, gpt_oss, gptneox, granite, granite_swa, granitehybrid,
    granitemoe, graniteswitch, grok, grovemoe, hrm_text, hunyuan_dense, hunyuan_moe, hunyuan_vl, hy_v3, hy_v4, internlm2, jais, jais2, jamba,
    jina_bert_v2, jina_bert_v3, kimi_k3, kimi_linear, laguna, lfm2, lfm2moe, llada, llada_moe, llama, llama4,
    llama_embed, maincoder, mamba, mamba2, maple, mellum, mimo2, minicpm, minicpm3, minimax_01, minimax_m2, minimax_m3, mistral3,
    mistral4, modern_bert, mpt, muse_glimmer, nanbeige, nemotron, nemotron_h, nemotron_h_moe, neo_bert,
    nomic_bert, nomic_bert_moe, olmo, olmo2, olmoe, openelm, orion, paddleocr, pangu_embedded, phi2, phi3,
    phimoe, plamo, plamo2, plamo3, plm, pockettts, qwen, qwen2, qwen2moe, qwen2vl, qwen3, qwen35, qwen35moe, qwen3moe,
    qwen3next, qwen3tts, qwen3vl, qwen3vlmoe, qwen4exp, refact, rnd1, rwkv6, rwkv6qwen2, rwkv7, seed_oss, smallthinker, smollm3, spark2_5,
    stablelm, starcoder, starcoder2, step35, t5, t5encoder, talkie, xverse,
}

/// The architecture of this name in GGUF files.
pub(crate) fn find(name: &str) -> Option<&'static Arch> {
    ALL.iter().find(|arch| arch.name == name)
}

/// The names of all architectures, as GGUF files spell them.
pub fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(Arch::name)
}
