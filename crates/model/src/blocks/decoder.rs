//! The decoder most architectures are: an embedding, layers of a mixer and a feed-forward around a residual stream,
//! a head. An architecture's file states only where it differs.

use super::{
    Architecture, Attention, AttentionSpec, Block, Dense, Embedding, FfnSpec, Head, Hparams, Mode, Norm,
    NormSpec, Result, Source, Step, Tensor,
};

/// Names of the norms of a layer: of the mixer's input and output, and of the feed-forward's. A norm without a gain
/// has the empty name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Norms {
    pub(crate) mixer: Option<&'static str>,
    pub(crate) mixer_post: Option<&'static str>,
    pub(crate) ffn: Option<&'static str>,
    pub(crate) ffn_post: Option<&'static str>,
}

impl Norms {
    /// Of inputs (Llama).
    pub(crate) const PRE: Self =
        Self { mixer: Some("attn_norm"), mixer_post: None, ffn: Some("ffn_norm"), ffn_post: None };
    /// Of inputs; the feed-forward's is stored under another name (gpt-oss, GLM-4.5).
    pub(crate) const PRE_RENAMED: Self = Self { ffn: Some("post_attention_norm"), ..Self::PRE };
    /// One of the input that both blocks read.
    pub(crate) const SHARED: Self = Self { ffn: None, ..Self::PRE };
    /// Of inputs, without gains.
    pub(crate) const BARE: Self = Self { mixer: Some(""), ffn: Some(""), ..Self::PRE };
    /// Of outputs (OLMo 2).
    pub(crate) const POST: Self = Self {
        mixer: None,
        mixer_post: Some("post_attention_norm"),
        ffn: None,
        ffn_post: Some("post_ffw_norm"),
    };
    /// Of inputs and outputs (Gemma 2).
    pub(crate) const SANDWICH: Self = Self {
        mixer: Some("attn_norm"),
        mixer_post: Some("post_attention_norm"),
        ffn: Some("ffn_norm"),
        ffn_post: Some("post_ffw_norm"),
    };
}

/// A layer's blocks and how they join the residual stream.
#[derive(Debug)]
pub(crate) struct Layer {
    mixer_norm: Option<Norm>,
    mixer: Box<dyn Block>,
    mixer_post_norm: Option<Norm>,
    ffn_norm: Option<Norm>,
    /// Layers of a single block have none.
    ffn: Option<Box<dyn Block>>,
    ffn_post_norm: Option<Norm>,
    /// The feed-forward reads the layer's input, as the mixer does, instead of the mixer's sum.
    parallel: bool,
    /// What each block adds is multiplied by this.
    residual_scale: f32,
}

impl Layer {
    pub(crate) fn load(
        at: &Source<'_>,
        hp: &Hparams,
        (norms, norm): (Norms, NormSpec),
        mixer: impl Into<Box<dyn Block>>,
        ffn: impl Into<Box<dyn Block>>,
    ) -> Result<Self> {
        let load = |name: Option<&str>| match name {
            None => Ok(None),
            Some("") => Ok(Some(Norm::bare(norm))),
            Some(name) => Norm::load(at, name, norm, hp.n_embd).map(Some),
        };
        Ok(Self {
            mixer_norm: load(norms.mixer)?,
            mixer: mixer.into(),
            mixer_post_norm: load(norms.mixer_post)?,
            ffn_norm: load(norms.ffn)?,
            ffn: Some(ffn.into()),
            ffn_post_norm: load(norms.ffn_post)?,
            parallel: false,
            residual_scale: 1.0,
        })
    }

    /// A single block behind a norm.
    pub(crate) fn single(
        at: &Source<'_>,
        hp: &Hparams,
        (name, norm): (&str, NormSpec),
        block: impl Into<Box<dyn Block>>,
    ) -> Result<Self> {
        Ok(Self {
            mixer_norm: Some(Norm::load(at, name, norm, hp.n_embd)?),
            mixer: block.into(),
            mixer_post_norm: None,
            ffn_norm: None,
            ffn: None,
            ffn_post_norm: None,
            parallel: false,
            residual_scale: 1.0,
        })
    }

    /// Llama's layer around this attention: RMS norms of inputs, SwiGLU.
    pub(crate) fn llama(at: &Source<'_>, hp: &Hparams, attention: AttentionSpec) -> Result<Self> {
        Self::dense(at, hp, NormSpec::rms(at, hp)?, attention, FfnSpec::swiglu(at, hp)?)
    }

    /// Attention, then a dense feed-forward, each behind a norm.
    pub(crate) fn dense(
        at: &Source<'_>,
        hp: &Hparams,
        norm: NormSpec,
        attention: AttentionSpec,
        ffn: FfnSpec,
    ) -> Result<Self> {
        Self::load(at, hp, (Norms::PRE, norm), Attention::load(at, attention)?, Dense::load(at, ffn)?)
    }

    /// With norms of outputs that differ from those of inputs.
    pub(crate) fn post_normed(self, at: &Source<'_>, hp: &Hparams, norm: NormSpec) -> Result<Self> {
        let load = |name| Norm::load(at, name, norm, hp.n_embd).map(Some);
        Ok(Self {
            mixer_post_norm: load("post_attention_norm")?,
            ffn_post_norm: load("post_ffw_norm")?,
            ..self
        })
    }

    /// With both blocks reading the layer's input.
    pub(crate) fn parallel(self) -> Self {
        Self { parallel: true, ..self }
    }

    /// With what each block adds multiplied by `scale`.
    pub(crate) fn residual_scaled(self, scale: f32) -> Self {
        Self { residual_scale: scale, ..self }
    }
}

impl Block for Layer {
    fn forward<'g>(&self, step: &Step<'g>, x: Tensor<'g>) -> Tensor<'g> {
        let norm = |norm: &Option<Norm>, x: Tensor<'g>| norm.as_ref().map_or(x, |norm| norm.forward(x));
        let scale = |x: Tensor<'g>| if self.residual_scale == 1.0 { x } else { x.scale(self.residual_scale) };
        let normed = norm(&self.mixer_norm, x);
        let mixed = scale(norm(&self.mixer_post_norm, self.mixer.forward(step, normed)));
        let Some(ffn) = &self.ffn else { return mixed + x };
        let ffn_input = match (self.parallel, &self.ffn_norm) {
            (true, Some(norm)) => norm.forward(x),
            (true, None) => normed,
            (false, _) => norm(&self.ffn_norm, mixed + x),
        };
        let fed = scale(norm(&self.ffn_post_norm, ffn.forward(step, ffn_input)));
        fed + (mixed + x)
    }
}

/// A whole model of such layers.
#[derive(Debug)]
pub(crate) struct Decoder {
    pub(crate) embedding: Embedding,
    pub(crate) layers: Vec<Box<dyn Block>>,
    pub(crate) head: Head,
}

impl Architecture for Decoder {
    fn supports(&self, mode: Mode) -> bool {
        match mode {
            Mode::Logits | Mode::Embeddings => true,
            Mode::Scores => self.head.has_classifier(),
            Mode::Encode => false,
        }
    }

    fn forward<'g>(&self, step: &Step<'g>) -> Tensor<'g> {
        let mut x = self.embedding.forward(step);
        for layer in &self.layers {
            x = step.layer_output(layer.forward(step, x));
        }
        self.head.forward(step, x)
    }
}
