//! Hyper-connections (Zhu et al. 2024): the residual is several streams. A block reads a mixture of them, what it gives is
//! added to each by a share, and before that they may be mixed among themselves, by shares that sum to 1 both ways
//! (Xie et al. 2025). All shares follow from the streams.

use super::{
    Architecture, Block, Embedding, Error, Head, Hparams, Norm, NormKind, NormSpec, Result, Source, Step,
    Tensor, Weight, mix, mix_by_rows,
};

#[derive(Clone, Copy, Debug)]
pub(crate) struct HyperSpec {
    pub(crate) n_embd: usize,
    pub(crate) n_stream: usize,
    /// Of the norm of all streams together.
    pub(crate) norm_eps: f32,
    /// Added to each share of what is read, and to sums that divide.
    pub(crate) eps: f32,
    /// Greatest share of what is added, and what is added to it.
    pub(crate) magnitude: f32,
    pub(crate) post_eps: f32,
    /// Rounds of normalizing the mixture of streams, if they are mixed.
    pub(crate) n_sinkhorn: Option<usize>,
}

impl HyperSpec {
    /// Of streams that are mixed (DeepSeek-V4).
    pub(crate) fn manifold(at: &Source<'_>, hp: &Hparams) -> Result<Self> {
        const MAX_ROUNDS: usize = 64;
        let key = "hyper_connection.sinkhorn_iterations";
        let n_sinkhorn = Error::check_size(&at.full_key(key), at.require(key)?, MAX_ROUNDS)?;
        Ok(Self { n_sinkhorn: Some(n_sinkhorn), post_eps: 0.0, ..Self::independent(at, hp, 2.0)? })
    }

    /// Of streams that are not (Hunyuan 4).
    pub(crate) fn independent(at: &Source<'_>, hp: &Hparams, magnitude: f32) -> Result<Self> {
        const MAX_STREAMS: usize = 64;
        let key = "hyper_connection.count";
        let n_stream = Error::check_size(&at.full_key(key), at.require(key)?, MAX_STREAMS)?;
        let eps = at.require("hyper_connection.epsilon")?;
        let norm_eps = hp.eps(at, NormKind::Rms)?;
        Ok(Self { n_embd: hp.n_embd, n_stream, norm_eps, eps, magnitude, post_eps: eps, n_sinkhorn: None })
    }
}

/// From the streams to a block and back.
#[derive(Debug)]
struct HyperConnection {
    /// From all streams to all shares, behind which each kind is scaled and shifted.
    function: Weight,
    base: Weight,
    scale: Weight,
    spec: HyperSpec,
}

/// How a block's result goes back.
#[derive(Clone, Copy, Debug)]
struct Return<'g> {
    /// `[1, n_stream]`.
    shares: Tensor<'g>,
    /// `[to, from]`.
    mixture: Option<Tensor<'g>>,
}

impl HyperConnection {
    fn load(at: &Source<'_>, name: &str, spec: HyperSpec) -> Result<Self> {
        let n = spec.n_stream;
        let (n_share, n_kind) = if spec.n_sinkhorn.is_some() { ((2 + n) * n, 3) } else { (2 * n, 2) };
        Ok(Self {
            function: at.weight(&format!("{name}_fn.weight"), [n * spec.n_embd, n_share])?,
            base: at.vector(&format!("{name}_base.weight"), [n_share])?,
            scale: at.vector(&format!("{name}_scale.weight"), [n_kind])?,
            spec,
        })
    }

    fn enter<'g>(&self, streams: Tensor<'g>) -> (Tensor<'g>, Return<'g>) {
        let HyperSpec { n_embd, n_stream: n, norm_eps, eps, magnitude, post_eps, .. } = self.spec;
        let all =
            streams.reshape(&[n_embd * n]).norm(NormKind::Rms, norm_eps, None, None).matmul(self.function);
        let [base, scale] = [self.base, self.scale].map(|weight| streams.graph().weight(weight));
        let part = |kind, len| {
            let start = kind * n;
            all.slice(0, start, len) * scale.slice(0, kind, 1) + base.slice(0, start, len)
        };
        let read = part(0, n).sigmoid().affine(1.0, eps);
        let shares = part(1, n).sigmoid().affine(magnitude, post_eps).reshape(&[1, n]);
        let mixture =
            self.spec.n_sinkhorn.map(|rounds| sinkhorn(part(2, n * n).reshape(&[n, n]), rounds, eps));
        (mix(streams, read.reshape(&[n, 1])).reshape(&[n_embd]), Return { shares, mixture })
    }

    fn leave<'g>(&self, streams: Tensor<'g>, y: Tensor<'g>, back: Return<'g>) -> Tensor<'g> {
        let HyperSpec { n_embd, n_stream, .. } = self.spec;
        let streams = back.mixture.map_or(streams, |mixture| mix_by_rows(streams, mixture));
        y.reshape(&[n_embd, 1]).repeat(&[n_embd, n_stream]) * back.shares + streams
    }
}

/// Rows and columns that sum to 1, as nearly as `rounds` of normalizing in turns come (Sinkhorn and Knopp 1967).
fn sinkhorn<'g>(x: Tensor<'g>, rounds: usize, eps: f32) -> Tensor<'g> {
    let by_column = |x: Tensor<'g>| x / x.sum(1).affine(1.0, eps);
    let by_row = |x: Tensor<'g>| x / x.sum(0).affine(1.0, eps);
    (1..rounds).fold(by_column(x.softmax().affine(1.0, eps)), |x, _| by_column(by_row(x)))
}

/// A layer between streams, `[n_embd, n_stream]`.
#[derive(Debug)]
pub(crate) struct HyperLayer {
    attention: HyperConnection,
    norm: Norm,
    mixer: Box<dyn Block>,
    feed_forward: HyperConnection,
    ffn_norm: Norm,
    ffn: Box<dyn Block>,
}

impl HyperLayer {
    pub(crate) fn load(
        at: &Source<'_>,
        hp: &Hparams,
        spec: HyperSpec,
        mixer: impl Into<Box<dyn Block>>,
        ffn: impl Into<Box<dyn Block>>,
    ) -> Result<Self> {
        let norm = |name| Norm::load(at, name, NormSpec::rms(at, hp)?, hp.n_embd);
        Ok(Self {
            attention: HyperConnection::load(at, "hc_attn", spec)?,
            norm: norm("attn_norm")?,
            mixer: mixer.into(),
            feed_forward: HyperConnection::load(at, "hc_ffn", spec)?,
            ffn_norm: norm("ffn_norm")?,
            ffn: ffn.into(),
        })
    }
}

impl Block for HyperLayer {
    fn forward<'g>(&self, step: &Step<'g>, streams: Tensor<'g>) -> Tensor<'g> {
        let (x, back) = self.attention.enter(streams);
        let y = self.mixer.forward(step, self.norm.forward(x));
        let streams = self.attention.leave(streams, y, back);
        let (x, back) = self.feed_forward.enter(streams);
        let y = self.ffn.forward(step, self.ffn_norm.forward(x));
        self.feed_forward.leave(streams, y, back)
    }
}

/// How the streams become one at the end.
#[derive(Debug)]
pub(crate) enum Merge {
    Mean,
    /// By shares of their own.
    Shares {
        function: Weight,
        base: Weight,
        scale: Weight,
    },
}

impl Merge {
    pub(crate) fn by_shares(file: &Source<'_>, spec: HyperSpec) -> Result<Self> {
        let n = spec.n_stream;
        Ok(Self::Shares {
            function: file.weight("output_hc_fn.weight", [n * spec.n_embd, n])?,
            base: file.vector("output_hc_base.weight", [n])?,
            scale: file.vector("output_hc_scale.weight", [1])?,
        })
    }

    fn forward<'g>(&self, streams: Tensor<'g>, spec: HyperSpec) -> Tensor<'g> {
        let HyperSpec { n_embd, n_stream: n, norm_eps, eps, .. } = spec;
        let one = match *self {
            Self::Mean => streams.mean(1),
            Self::Shares { function, base, scale } => {
                let all = streams.reshape(&[n_embd * n]).norm(NormKind::Rms, norm_eps, None, None);
                let shares = (all.matmul(function) * scale + base).sigmoid().affine(1.0, eps);
                mix(streams, shares.reshape(&[n, 1]))
            }
        };
        one.reshape(&[n_embd])
    }
}

/// A whole model of such layers, whose streams all start as the embedding.
#[derive(Debug)]
pub(crate) struct HyperDecoder {
    pub(crate) embedding: Embedding,
    pub(crate) layers: Vec<HyperLayer>,
    pub(crate) merge: Merge,
    pub(crate) head: Head,
    pub(crate) spec: HyperSpec,
}

impl Architecture for HyperDecoder {
    fn forward<'g>(&self, step: &Step<'g>) -> Tensor<'g> {
        let HyperSpec { n_embd, n_stream, .. } = self.spec;
        let x = self.embedding.forward(step);
        let start = x.reshape(&[n_embd, 1]).repeat(&[n_embd, n_stream]);
        let streams = self.layers.iter().fold(start, |x, layer| step.layer_output(layer.forward(step, x)));
        self.head.forward(step, self.merge.forward(streams, self.spec))
    }
}
