//! `t5`: T5, Flan-T5, mT5, UMT5 (Raffel et al. 2020). An encoder that sees all its tokens at once and a decoder that
//! also attends to what the encoder made of them. Positions are a learned bias on distances.

use tensor::RelativeBias;

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::own("t5", |file, hp| {
    let norm = NormSpec::rms(file, hp)?;
    let n_decoder = at_most_layers(file, "decoder_block_count", hp.n_layer)?;
    let decoder = (0..n_decoder).map(|i| DecoderLayer::load(file, i, hp)).collect::<Result<_>>()?;
    Ok(Box::new(T5 {
        embedding: Embedding::load(file, hp)?,
        encoder: Encoder::load(file, hp, Timeline::Encoder)?,
        decoder,
        head: Head::with(file, hp, Norm::load(file, "dec.output_norm", norm, hp.n_embd)?)?,
    }))
});

#[derive(Debug)]
struct T5 {
    embedding: Embedding,
    encoder: Encoder,
    decoder: Vec<DecoderLayer>,
    head: Head,
}

impl Architecture for T5 {
    fn supports(&self, mode: Mode) -> bool {
        mode != Mode::Scores
    }

    fn forward<'g>(&self, step: &Step<'g>) -> Tensor<'g> {
        let mut x = self.embedding.forward(step);
        if step.mode == Mode::Encode {
            let hidden = self.encoder.forward(step, x);
            for layer in &self.decoder {
                layer.cross.remember(step, hidden);
            }
            return hidden.select_outputs();
        }
        for layer in &self.decoder {
            x = step.layer_output(layer.forward(step, x));
        }
        self.head.forward(step, x)
    }
}

/// Layers that see every token.
#[derive(Debug)]
pub(super) struct Encoder {
    layers: Vec<EncoderLayer>,
    norm: Norm,
}

#[derive(Debug)]
struct EncoderLayer {
    norm: Norm,
    attention: Heads,
    ffn_norm: Norm,
    ffn: Dense,
}

impl Encoder {
    pub(super) fn load(file: &Source<'_>, hp: &Hparams, timeline: Timeline) -> Result<Self> {
        let norm = NormSpec::rms(file, hp)?;
        let layer = |i| {
            let at = &file.layer_of("enc.blk", i);
            Ok(EncoderLayer {
                norm: Norm::load(at, "attn_norm", norm, hp.n_embd)?,
                attention: Heads::load(at, "attn", hp, timeline)?.biased(at, hp, true)?,
                ffn_norm: Norm::load(at, "ffn_norm", norm, hp.n_embd)?,
                ffn: feed_forward(at, hp)?,
            })
        };
        let layers = (0..hp.n_layer).map(layer).collect::<Result<_>>()?;
        Ok(Self { layers, norm: Norm::load(file, "enc.output_norm", norm, hp.n_embd)? })
    }

    pub(super) fn forward<'g>(&self, step: &Step<'g>, mut x: Tensor<'g>) -> Tensor<'g> {
        for layer in &self.layers {
            let normed = layer.norm.forward(x);
            let kv = layer.attention.remember(step, normed);
            x = layer.attention.forward(normed, kv, Mask::All) + x;
            x = layer.ffn.apply(layer.ffn_norm.forward(x)) + x;
            x = step.layer_output(x);
        }
        self.norm.forward(x)
    }
}

#[derive(Debug)]
struct DecoderLayer {
    norm: Norm,
    attention: Heads,
    cross_norm: Norm,
    cross: Heads,
    ffn_norm: Norm,
    ffn: Dense,
}

impl DecoderLayer {
    fn load(file: &Source<'_>, i: usize, hp: &Hparams) -> Result<Self> {
        let at = &file.layer_of("dec.blk", i);
        let norm = |name| Norm::load(at, name, NormSpec::rms(at, hp)?, hp.n_embd);
        at.ignore("cross_attn_rel_b.weight", "attention to the encoder has no positions");
        let attention = Heads::load(at, "attn", hp, Timeline::Sequence)?;
        Ok(Self {
            norm: norm("attn_norm")?,
            attention: attention.biased(at, hp, false)?.scaled(&file.layer(i))?,
            cross_norm: norm("cross_attn_norm")?,
            cross: Heads::load(at, "cross_attn", hp, Timeline::Encoder)?,
            ffn_norm: norm("ffn_norm")?,
            ffn: feed_forward(at, hp)?,
        })
    }

    fn forward<'g>(&self, step: &Step<'g>, x: Tensor<'g>) -> Tensor<'g> {
        let normed = self.norm.forward(x);
        let kv = self.attention.remember(step, normed);
        let x = self.attention.forward(normed, kv, Mask::Causal) + x;
        let encoded = step.graph.read_kv(self.cross.memory);
        let x = self.cross.forward(self.cross_norm.forward(x), encoded, Mask::All) + x;
        self.ffn.apply(self.ffn_norm.forward(x)) + x
    }
}

/// Attention whose scores are not scaled.
#[derive(Debug)]
struct Heads {
    q: Linear,
    k: Linear,
    v: Linear,
    o: Linear,
    bias: Option<(RelativeBias, Weight)>,
    memory: MemoryId,
    spec: AttentionSpec,
}

impl Heads {
    fn load(at: &Source<'_>, name: &str, hp: &Hparams, timeline: Timeline) -> Result<Self> {
        let spec = AttentionSpec { scale: 1.0, ..AttentionSpec::causal(at, hp)? };
        spec.check(at)?;
        let AttentionSpec { n_embd, n_head, n_head_kv, key_dim, value_dim, .. } = spec;
        let linear = |part, n_in, n_out| Linear::load(at, &format!("{name}_{part}"), n_in, n_out);
        let value = ValueStore::Own { dim: value_dim };
        Ok(Self {
            q: linear("q", n_embd, n_head * key_dim)?,
            k: linear("k", n_embd, n_head_kv * key_dim)?,
            v: linear("v", n_embd, n_head_kv * value_dim)?,
            o: linear("o", n_head * value_dim, n_embd)?,
            bias: None,
            memory: at.remember(MemorySpec::Kv { n_head_kv, key_dim, value, ratio: 1, window: None, timeline }),
            spec,
        })
    }

    /// With the bias of this layer or, if it has none, of the first.
    fn biased(self, at: &Source<'_>, hp: &Hparams, bidirectional: bool) -> Result<Self> {
        let n_bucket = at.extent_of("attention.relative_buckets_count")?;
        if !n_bucket.is_multiple_of(4) {
            let key = at.full_key("attention.relative_buckets_count");
            return Err(Error::value(&key, n_bucket, "must be a multiple of 4"));
        }
        let stack = if bidirectional { "enc.blk" } else { "dec.blk" };
        let name = "attn_rel_b.weight";
        let owner = if at.has(name) { at.clone() } else { at.root().layer_of(stack, 0) };
        let table = owner.vector(name, [hp.layer(at.index()).n_head, n_bucket])?;
        Ok(Self { bias: Some((RelativeBias { n_bucket, bidirectional }, table)), ..self })
    }

    /// With the scales that converters store under `blk`; they are the decoder's.
    fn scaled(self, at: &Source<'_>) -> Result<Self> {
        let scaled = Self {
            q: self.q.scaled_by(at, "attn_q")?,
            k: self.k.scaled_by(at, "attn_k")?,
            v: self.v.scaled_by(at, "attn_v")?,
            o: self.o.scaled_by(at, "attn_output")?,
            ..self
        };
        at.ignore_all("the reference engine applies only the scales of the decoder's own attention");
        Ok(scaled)
    }

    /// Keys and values of `x` in memory.
    fn remember<'g>(&self, step: &Step<'g>, x: Tensor<'g>) -> Tensor<'g> {
        let AttentionSpec { n_head_kv, key_dim, value_dim, .. } = self.spec;
        let k = self.k.forward(x).reshape(&[key_dim, n_head_kv]);
        let v = self.v.forward(x).reshape(&[value_dim, n_head_kv]);
        step.append_kv(self.memory, k, Some(v))
    }

    fn forward<'g>(&self, x: Tensor<'g>, kv: Tensor<'g>, mask: Mask) -> Tensor<'g> {
        let AttentionSpec { n_head, key_dim, value_dim, scale, .. } = self.spec;
        let q = self.q.forward(x).reshape(&[key_dim, n_head]);
        let op = tensor::Attention {
            scale,
            mask,
            relative_bias: self.bias.map(|(bias, _)| bias),
            ..tensor::Attention::causal(self.memory, key_dim)
        };
        let y = q.attention(kv, value_dim, op, None, self.bias.map(|(_, table)| table));
        self.o.forward(y.reshape(&[n_head * value_dim]))
    }
}

/// Gated GELU, or plain ReLU in the first T5.
fn feed_forward(at: &Source<'_>, hp: &Hparams) -> Result<Dense> {
    let spec = FfnSpec::swiglu(at, hp)?;
    let spec = if at.has("ffn_gate.weight") {
        FfnSpec { activation: Activation::GELU, ..spec }
    } else {
        FfnSpec { gate: Gate::None, activation: Activation::Unary(Unary::Relu), ..spec }
    };
    Dense::load(at, spec)
}

/// An optional number of layers.
fn at_most_layers(at: &Source<'_>, key: &str, default: usize) -> Result<usize> {
    Error::check_size(&at.full_key(key), at.get_or(key, default)?, crate::limits::MAX_LAYERS)
}
