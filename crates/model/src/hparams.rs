//! Hyperparameters: what the engine or several architectures need to know of a model. Anything else is read by the
//! block or architecture that needs it.

use gguf::Array;
use tensor::NormKind;

use crate::limits::{MAX_CONTEXT, MAX_EXPERTS, MAX_EXTENT, MAX_HEAD_DIM, MAX_HEADS, MAX_LAYERS};
use crate::source::Source;
use crate::{Error, LoadOptions, Result};

/// How the hidden states of a sequence become one vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooling {
    /// Every token keeps its own.
    None,
    Mean,
    /// The first token's.
    Cls,
    /// The last token's.
    Last,
    /// The score of a classifier over one token's: rerankers.
    Rank,
}

/// Checked against `limits.rs` when read: sums and products of two values cannot overflow.
#[derive(Clone, Debug)]
pub struct Hparams {
    pub n_vocab: usize,
    pub n_embd: usize,
    /// Width of the embeddings the model gives out.
    pub n_embd_out: usize,
    /// Layers of the model itself, without draft heads.
    pub n_layer: usize,
    /// Draft layers stored behind them (multi-token prediction).
    pub n_layer_draft: usize,
    /// The context length the model was trained for.
    pub n_ctx_train: usize,
    /// The context length the engine is going to use.
    pub n_ctx: usize,
    /// Whether tokens see only what precedes them. If not, a sequence must be given in one step.
    pub causal: bool,
    pub pooling: Option<Pooling>,
    /// What a decoder behind an encoder starts with.
    pub decoder_start_token: Option<u32>,
    /// Labels of the classifier, empty if it has none.
    pub classifier_labels: Vec<String>,
    pub n_expert: usize,
    pub rope: RopeParams,
    pub(crate) layers: Vec<LayerHparams>,
    /// Elements of a key and of a value.
    pub(crate) key_dim: usize,
    pub(crate) value_dim: usize,
    pub(crate) norm_eps: NormEps,
}

/// What may differ from layer to layer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LayerHparams {
    pub(crate) n_head: usize,
    pub(crate) n_head_kv: usize,
    pub(crate) n_ff: usize,
    pub(crate) n_expert_used: usize,
}

/// Epsilons of the two norms; a file gives the one its architecture uses.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NormEps {
    pub(crate) rms: Option<f32>,
    pub(crate) layer: Option<f32>,
}

/// Rotary embedding as the file has it; `blocks::Rope` adds what an architecture decides.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RopeParams {
    pub n_rot: usize,
    pub freq_base: f32,
    /// One over the context extension.
    pub freq_scale: f32,
    pub scaling: RopeScaling,
    pub n_ctx_orig: usize,
    /// Multiplies cosines and sines besides what YaRN does.
    pub attn_factor: f32,
}

/// How a context longer than trained is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RopeScaling {
    None,
    Linear,
    Yarn,
    LongRope,
}

impl Hparams {
    pub(crate) fn load(at: &Source<'_>, options: &LoadOptions) -> Result<Self> {
        let key = |k: &str| at.full_key(k);
        let n_layer_all = Error::check_size(&key("block_count"), at.require("block_count")?, MAX_LAYERS)?;
        let n_layer_draft: usize = at.get_or("nextn_predict_layers", 0)?;
        if n_layer_draft >= n_layer_all {
            let problem = format!("leaves none of {n_layer_all} layers");
            return Err(Error::value(&key("nextn_predict_layers"), n_layer_draft, problem));
        }
        let n_layer_draft = n_draft_in(at, n_layer_all - n_layer_draft, n_layer_draft);
        let n_embd = at.extent_of("embedding_length")?;
        let n_ctx_train =
            Error::check_size(&key("context_length"), at.require("context_length")?, MAX_CONTEXT)?;
        let layers = layers(at, n_layer_all)?;
        let n_head = layers[0].n_head;
        let head_dim = |name| -> Result<usize> {
            let default = n_embd.checked_div(n_head).unwrap_or(0);
            check_max(&key(name), at.get_or(name, default)?, MAX_HEAD_DIM)
        };
        let key_dim = head_dim("attention.key_length")?;
        Ok(Self {
            n_vocab: n_vocab(at)?,
            n_embd,
            n_embd_out: n_embd,
            n_layer: n_layer_all - n_layer_draft,
            n_layer_draft,
            n_ctx_train,
            n_ctx: options.n_ctx.unwrap_or(n_ctx_train),
            causal: at.get_or("attention.causal", true)?,
            pooling: pooling(at)?,
            decoder_start_token: at.get("decoder_start_token_id")?,
            classifier_labels: labels(at)?,
            n_expert: check_max(&key("expert_count"), at.get_or("expert_count", 0)?, MAX_EXPERTS)?,
            rope: RopeParams::load(at, key_dim, n_ctx_train)?,
            layers,
            key_dim,
            value_dim: head_dim("attention.value_length")?,
            norm_eps: NormEps {
                rms: at.get("attention.layer_norm_rms_epsilon")?,
                layer: at.get("attention.layer_norm_epsilon")?,
            },
        })
    }

    /// Scores of the classifier, if the model has one.
    pub fn n_label(&self) -> usize {
        self.classifier_labels.len().max(1)
    }

    /// What layer `i` has of its own.
    pub(crate) fn layer(&self, i: usize) -> LayerHparams {
        self.layers.get(i).or(self.layers.last()).copied().unwrap_or_default()
    }

    /// Layers in the file, draft heads included: the length of per-layer arrays.
    pub(crate) fn n_layer_all(&self) -> usize {
        self.n_layer + self.n_layer_draft
    }

    /// The epsilon of `kind` of norm.
    ///
    /// # Errors
    /// If the file does not give it.
    pub(crate) fn eps(&self, at: &Source<'_>, kind: NormKind) -> Result<f32> {
        let (eps, key) = match kind {
            NormKind::Layer => (self.norm_eps.layer, "attention.layer_norm_epsilon"),
            NormKind::Rms | NormKind::L2 => (self.norm_eps.rms, "attention.layer_norm_rms_epsilon"),
        };
        eps.map_or_else(|| at.require(key), Ok)
    }
}

impl RopeParams {
    fn load(at: &Source<'_>, key_dim: usize, n_ctx_train: usize) -> Result<Self> {
        let scaling = match at.get::<&str>("rope.scaling.type")? {
            None | Some("linear") => RopeScaling::Linear,
            Some("none") => RopeScaling::None,
            Some("yarn") => RopeScaling::Yarn,
            Some("longrope") => RopeScaling::LongRope,
            Some(other) => {
                let problem = "is not one of none, linear, yarn, longrope";
                return Err(Error::value(&at.full_key("rope.scaling.type"), other, problem));
            }
        };
        let factor: f32 = match at.get("rope.scaling.factor")? {
            Some(factor) => factor,
            None => at.get_or("rope.scale_linear", 0.0)?,
        };
        let n_ctx_orig = at.get_or("rope.scaling.original_context_length", n_ctx_train)?;
        Ok(Self {
            n_rot: check_max(
                &at.full_key("rope.dimension_count"),
                at.get_or("rope.dimension_count", key_dim)?,
                MAX_HEAD_DIM,
            )?,
            freq_base: at.get_or("rope.freq_base", 10000.0)?,
            freq_scale: if factor == 0.0 || scaling == RopeScaling::None { 1.0 } else { 1.0 / factor },
            scaling,
            n_ctx_orig: if n_ctx_orig == 0 { n_ctx_train } else { n_ctx_orig },
            attn_factor: at.get_or("rope.scaling.attn_factor", 1.0)?,
        })
    }
}

/// How many of the layers from `first` on, said to be `n` draft layers, are. Converters that leave draft layers out may
/// still name their number (DeepSeek-V4); then the last layers are the model's own, and have nothing to guess ahead with.
fn n_draft_in(at: &Source<'_>, first: usize, n: usize) -> usize {
    let layer = at.layer(first);
    if !layer.is_empty() && layer.at("nextn").is_empty() { 0 } else { n }
}

fn layers(at: &Source<'_>, n_layer: usize) -> Result<Vec<LayerHparams>> {
    let per_layer = |key: &str, limit| -> Result<Option<Vec<usize>>> {
        let Some(values) = at.per_layer::<u32>(key, n_layer)? else {
            return Ok(None);
        };
        values
            .into_iter()
            .map(|v| check_max(&at.full_key(key), v as usize, limit))
            .collect::<Result<_>>()
            .map(Some)
    };
    let zero = || vec![0; n_layer];
    let n_head = per_layer("attention.head_count", MAX_HEADS)?.unwrap_or_else(zero);
    let n_head_kv = per_layer("attention.head_count_kv", MAX_HEADS)?.unwrap_or_else(|| n_head.clone());
    let n_ff = per_layer("feed_forward_length", MAX_EXTENT)?.unwrap_or_else(zero);
    let n_expert_used = per_layer("expert_used_count", MAX_EXPERTS)?.unwrap_or_else(zero);
    let layer = |i| LayerHparams {
        n_head: n_head[i],
        n_head_kv: n_head_kv[i],
        n_ff: n_ff[i],
        n_expert_used: n_expert_used[i],
    };
    Ok((0..n_layer).map(layer).collect())
}

/// The size of the vocabulary in the file; without one, of the embedding table.
fn n_vocab(at: &Source<'_>) -> Result<usize> {
    let n_vocab = match (at.get_global::<Array<'_>>("tokenizer.ggml.tokens")?, at.get("vocab_size")?) {
        (Some(tokens), _) => tokens.len(),
        (None, Some(n)) => n,
        (None, None) => at.extent("token_embd.weight", 1)?,
    };
    Error::check_extent("tokenizer.ggml.tokens", n_vocab)
}

fn pooling(at: &Source<'_>) -> Result<Option<Pooling>> {
    Ok(match at.get::<u32>("pooling_type")? {
        None => None,
        Some(0) => Some(Pooling::None),
        Some(1) => Some(Pooling::Mean),
        Some(2) => Some(Pooling::Cls),
        Some(3) => Some(Pooling::Last),
        Some(4) => Some(Pooling::Rank),
        Some(other) => {
            return Err(Error::value(&at.full_key("pooling_type"), other, "is not one of 0 to 4"));
        }
    })
}

fn labels(at: &Source<'_>) -> Result<Vec<String>> {
    let Some(labels) = at.get::<Array<'_>>("classifier.output_labels")? else {
        return Ok(Vec::new());
    };
    Ok(labels.strings()?.map(|label| String::from_utf8_lossy(label).into_owned()).collect())
}

fn check_max(key: &str, value: usize, limit: usize) -> Result<usize> {
    if value > limit {
        return Err(Error::TooLarge { what: format!("metadata {key}"), value, limit });
    }
    Ok(value)
}
