//! The decoder most architectures are: an embedding, layers of a mixer and a feed-forward around a residual stream,
//! a head. An architecture's file states only where it differs.

use super::{
    Architecture, Attention, AttentionSpec, Embedding, Ffn, FfnSpec, Head, Hparams, Mla, Norm, NormSpec,
    Result, Source, Step, Tensor,
};

/// What moves information between tokens.
#[derive(Debug)]
pub(crate) enum Mixer {
    Attention(Attention),
    Mla(Mla),
}

impl Mixer {
    pub(crate) fn forward<'g>(&self, step: &Step<'g>, x: Tensor<'g>) -> Tensor<'g> {
        match self {
            Self::Attention(attention) => attention.forward(step, x),
            Self::Mla(mla) => mla.forward(step, x),
        }
    }
}

impl From<Attention> for Mixer {
    fn from(attention: Attention) -> Self {
        Self::Attention(attention)
    }
}

impl From<Mla> for Mixer {
    fn from(mla: Mla) -> Self {
        Self::Mla(mla)
    }
}

/// Names of the norms of a layer: of the mixer's input and output, and of the feed-forward's.
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
    mixer: Mixer,
    mixer_post_norm: Option<Norm>,
    ffn_norm: Option<Norm>,
    ffn: Ffn,
    ffn_post_norm: Option<Norm>,
    /// The feed-forward reads the layer's input, as the mixer does, instead of the mixer's sum.
    pub(crate) parallel: bool,
    /// What each block adds is multiplied by this.
    pub(crate) residual_scale: f32,
}

impl Layer {
    pub(crate) fn load(
        at: &Source<'_>,
        hp: &Hparams,
        (norms, norm): (Norms, NormSpec),
        mixer: impl Into<Mixer>,
        ffn: Ffn,
    ) -> Result<Self> {
        let load = |name: Option<&str>| name.map(|name| Norm::load(at, name, norm, hp.n_embd)).transpose();
        Ok(Self {
            mixer_norm: load(norms.mixer)?,
            mixer: mixer.into(),
            mixer_post_norm: load(norms.mixer_post)?,
            ffn_norm: load(norms.ffn)?,
            ffn,
            ffn_post_norm: load(norms.ffn_post)?,
            parallel: false,
            residual_scale: 1.0,
        })
    }

    /// Llama's layer around this attention: RMS norms of inputs, SwiGLU.
    pub(crate) fn llama(at: &Source<'_>, hp: &Hparams, attention: AttentionSpec) -> Result<Self> {
        let norms = (Norms::PRE, NormSpec::rms(at, hp)?);
        let ffn = Ffn::dense(at, FfnSpec::swiglu(at, hp)?)?;
        Self::load(at, hp, norms, Attention::load(at, attention)?, ffn)
    }

    fn forward<'g>(&self, step: &Step<'g>, x: Tensor<'g>) -> Tensor<'g> {
        let norm = |norm: &Option<Norm>, x: Tensor<'g>| norm.as_ref().map_or(x, |norm| norm.forward(x));
        let scale = |x: Tensor<'g>| if self.residual_scale == 1.0 { x } else { x.scale(self.residual_scale) };
        let normed = norm(&self.mixer_norm, x);
        let mixed = scale(norm(&self.mixer_post_norm, self.mixer.forward(step, normed)));
        let ffn_input = match (self.parallel, &self.ffn_norm) {
            (true, Some(norm)) => norm.forward(x),
            (true, None) => normed,
            (false, _) => norm(&self.ffn_norm, mixed + x),
        };
        let fed = scale(norm(&self.ffn_post_norm, self.ffn.forward(ffn_input)));
        fed + (mixed + x)
    }
}

/// A whole model of such layers.
#[derive(Debug)]
pub(crate) struct Decoder {
    pub(crate) embedding: Embedding,
    pub(crate) layers: Vec<Layer>,
    pub(crate) head: Head,
}

impl Architecture for Decoder {
    fn forward<'g>(&self, step: &Step<'g>) -> Tensor<'g> {
        let mut x = self.embedding.forward(step);
        for layer in &self.layers {
            x = step.layer_output(layer.forward(step, x));
        }
        self.head.forward(step, x)
    }
}
