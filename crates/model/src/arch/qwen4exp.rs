//! `qwen4exp`: Qwen 4 (experimental): Qwen 3.5's layers between several residual streams, whose mixtures are gated at a low
//! rank and stand in for norms; full layers attend to blocks that an indexer chooses.

use crate::blocks::*;
use crate::limits::MAX_POOLED;

pub(super) const ARCH: Arch = Arch::own("qwen4exp", |file, hp| {
    if file.get::<Vec<u32>>("ple.layers")?.is_some_and(|layers| !layers.is_empty()) {
        let problem = "needs embeddings of n-grams, which there are not yet";
        return Err(Error::value(&file.full_key("ple.layers"), "a list", problem));
    }
    Ok(Box::new(Qwen4 {
        embedding: Embedding::load(file, hp)?,
        layers: file.layers(hp.n_layer, |at| Layer::load(at, hp))?,
        output: Gather::load(file, "output_hc", hp)?,
        head: Head::without_norm(file, hp)?,
    }))
})
.scales(Scales::EXPERTS);

#[derive(Debug)]
struct Qwen4 {
    embedding: Embedding,
    layers: Vec<Layer>,
    output: Gather,
    head: Head,
}

impl Architecture for Qwen4 {
    fn forward<'g>(&self, step: &Step<'g>) -> Tensor<'g> {
        let x = self.embedding.forward(step);
        let n = x.dim(0);
        let start = x.reshape(&[n, 1]).repeat(&[n, self.output.n_stream]);
        let streams = self.layers.iter().fold(start, |x, layer| step.layer_output(layer.forward(step, x)));
        self.head.forward(step, self.output.gather(self.output.normed(streams)))
    }
}

#[derive(Debug)]
struct Layer {
    mixer: Connection,
    ffn: Connection,
}

impl Layer {
    fn load(at: &Source<'_>, hp: &Hparams) -> Result<Self> {
        let moe = MoeSpec::softmax(at, hp)?.with_shared(at)?.where_routed(at, hp)?;
        Ok(Self {
            mixer: Connection::load(at, "hc_attn", hp, mixer(at, hp)?)?,
            ffn: Connection::load(at, "hc_ffn", hp, moe)?,
        })
    }

    fn forward<'g>(&self, step: &Step<'g>, streams: Tensor<'g>) -> Tensor<'g> {
        self.ffn.forward(step, self.mixer.forward(step, streams))
    }
}

fn mixer(at: &Source<'_>, hp: &Hparams) -> Result<Box<dyn Block>> {
    if super::qwen3next::is_linear(at)? {
        return Ok(DeltaNet::load(at, hp, KeyHeads::Tiled)?.gated_by(Unary::Sigmoid).into());
    }
    at.ignore_each(&["attn_q.bias", "attn_k.bias", "attn_v.bias"], "the reference engine does not add it");
    let spec = AttentionSpec { gate_in_query: true, ..super::qwen3::attention(at, hp)? };
    let ratios = at.per_layer::<u32>("attention.compress_ratios", hp.n_layer_all())?.unwrap_or_default();
    let choice = match ratios.get(at.index()) {
        Some(&ratio) if ratio > 0 => {
            let key = at.full_key("attention.compress_ratios");
            let blocks = BlockSpec::with_key(at, Error::check_size(&key, ratio as usize, MAX_POOLED)?)?;
            Choice::of_blocks(at, hp, &spec, NormSpec::rms(at, hp)?, blocks)?
        }
        _ => {
            at.at("indexer").ignore_all("the layer attends to every token");
            None
        }
    };
    Ok(Attention::load(at, spec)?.choosing(choice).into())
}

/// A block between streams, `[n_embd, n_stream]`: what it gives is added to each by a share of up to 2.
#[derive(Debug)]
struct Connection {
    input: Gather,
    block: Box<dyn Block>,
    inject: Linear,
}

impl Connection {
    fn load(at: &Source<'_>, name: &str, hp: &Hparams, block: Box<dyn Block>) -> Result<Self> {
        let input = Gather::load(at, name, hp)?;
        let inject = Linear::load(at, &format!("{name}_inject"), input.n_stream * hp.n_embd, input.n_stream)?;
        Ok(Self { input, block, inject })
    }

    fn forward<'g>(&self, step: &Step<'g>, streams: Tensor<'g>) -> Tensor<'g> {
        let (n, n_stream) = (streams.dim(0), streams.dim(1));
        let all = self.input.normed(streams);
        let y = self.block.forward(step, self.input.gather(all));
        let shares = self.inject.forward(all).scale(1.0 / n_stream as f32).sigmoid().scale(2.0);
        y.reshape(&[n, 1]).repeat(&[n, n_stream]) * shares.reshape(&[1, n_stream]) + streams
    }
}

/// The mean of the normalized streams, each element gated by a network of low rank.
#[derive(Debug)]
struct Gather {
    norm: NormSpec,
    gain: Weight,
    down: Linear,
    up: Linear,
    n_stream: usize,
}

impl Gather {
    fn load(at: &Source<'_>, name: &str, hp: &Hparams) -> Result<Self> {
        const MAX_STREAMS: usize = 64;
        let size = |key: &str, max| Error::check_size(&at.full_key(key), at.require(key)?, max);
        let n_stream = size("hyper_connection.count", MAX_STREAMS)?;
        let rank = size("hyper_connection.low_rank", hp.n_embd)?;
        let (n, n_all) = (hp.n_embd, hp.n_embd * n_stream);
        let gain = format!("{name}_norm.weight");
        Ok(Self {
            norm: NormSpec::rms(at, hp)?,
            gain: if at.extent(&gain, 0)? == n_all {
                at.vector_as(&gain, [n_all], [n, n_stream])?
            } else {
                at.vector(&gain, [n, n_stream])?
            },
            down: Linear::load(at, &format!("{name}_down"), n_all, rank)?,
            up: Linear::load(at, &format!("{name}_up"), rank, n_all)?,
            n_stream,
        })
    }

    /// Each stream for itself; all of them as one vector.
    fn normed<'g>(&self, streams: Tensor<'g>) -> Tensor<'g> {
        let normed = streams.norm(self.norm.kind, self.norm.eps, Some(self.gain), None);
        normed.reshape(&[streams.dim(0) * self.n_stream])
    }

    fn gather<'g>(&self, all: Tensor<'g>) -> Tensor<'g> {
        let n = all.dim(0) / self.n_stream;
        let narrow = self.down.forward(all).scale(1.0 / self.n_stream as f32).silu();
        let gated = self.up.forward(narrow).glu(Unary::Sigmoid, all);
        gated.reshape(&[n, self.n_stream]).mean(1).reshape(&[n])
    }
}
