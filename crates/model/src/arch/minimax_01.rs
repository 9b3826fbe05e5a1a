//! `minimax-01`: MiniMax-Text-01 and M1: lightning attention, whose state decays by head, in most layers. What adds to a
//! block's result is its normalized input.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::own("minimax-01", |file, hp| {
    Ok(Box::new(Decoder {
        embedding: Embedding::load(file, hp)?,
        layers: file.layers(hp.n_layer, |at| Ok(Layer::load(at, hp)?.into()))?,
        head: Head::load(file, hp, NormSpec::rms(file, hp)?)?,
    }))
});

#[derive(Debug)]
struct Layer {
    norm: Norm,
    mixer: Box<dyn Block>,
    ffn_norm: Norm,
    ffn: Moe,
    /// Of the normalized inputs.
    residual_scale: f32,
}

impl Layer {
    fn load(at: &Source<'_>, hp: &Hparams) -> Result<Self> {
        let norm = |name| Norm::load(at, name, NormSpec::rms(at, hp)?, hp.n_embd);
        let mixer: Box<dyn Block> = if is_lightning(at)? {
            Lightning::load(at, hp)?.into()
        } else {
            Attention::load(at, AttentionSpec::neox(at, hp)?)?.into()
        };
        Ok(Self {
            norm: norm("attn_norm")?,
            mixer,
            ffn_norm: norm("ffn_norm")?,
            ffn: Moe::load(at, MoeSpec::softmax(at, hp)?)?,
            residual_scale: at.require("residual_scale")?,
        })
    }
}

impl Block for Layer {
    fn forward<'g>(&self, step: &Step<'g>, x: Tensor<'g>) -> Tensor<'g> {
        let normed = self.norm.forward(x);
        let x = self.mixer.forward(step, normed) + normed.scale(self.residual_scale);
        let normed = self.ffn_norm.forward(x);
        self.ffn.forward(step, normed) + normed.scale(self.residual_scale)
    }
}

/// As the file says, or all but each `full_attention_interval`th.
fn is_lightning(at: &Source<'_>) -> Result<bool> {
    if let Some(layers) = at.flags("attention.recurrent_layers")? {
        return Ok(layers.get(at.index()).copied().unwrap_or(false));
    }
    let interval: usize = at.get_or("full_attention_interval", 8)?;
    Ok(interval == 0 || !(at.index() + 1).is_multiple_of(interval))
}

/// `S = decay S + k (x) v; y = S q`.
#[derive(Debug)]
struct Lightning {
    qkv: Linear,
    norm: Norm,
    gate: Linear,
    output: Linear,
    memory: MemoryId,
    /// `[d, n_head]`.
    heads: [usize; 2],
    /// The layer's share of a head's slope.
    slope_scale: f32,
}

impl Lightning {
    fn load(at: &Source<'_>, hp: &Hparams) -> Result<Self> {
        at.ignore_each(&["attn_qkv.scale", "attn_gate.scale", "attn_output.scale"], "the reference engine does not apply it");
        let spec = AttentionSpec::causal(at, hp)?;
        spec.check(at)?;
        let AttentionSpec { n_embd, n_head, key_dim: d, .. } = spec;
        let n = n_head * d;
        let depth = at.index() as f32 / (hp.n_layer - 1).max(1) as f32;
        Ok(Self {
            qkv: Linear::load(at, "attn_qkv", n_embd, 3 * n)?,
            norm: Norm::load(at, "attn_norm_2", NormSpec::rms(at, hp)?, n)?,
            gate: Linear::load(at, "attn_gate", n_embd, n)?,
            output: Linear::load(at, "attn_output", n, n_embd)?,
            memory: at.remember(MemorySpec::State { len: n * d }),
            heads: [d, n_head],
            slope_scale: 1.0 - depth + 1e-5,
        })
    }

    /// `[1, n_head]`: how much of the state each head keeps. Slopes are those of ALiBi.
    fn decay<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
        let n_head = self.heads[1];
        let ratio = (-(-((n_head as f32).log2() - 3.0)).exp2()).exp2();
        let mut slopes = x.slice(0, 0, 1).clamp(ratio, ratio);
        while slopes.dim(0) < n_head {
            slopes = slopes.concat(slopes.scale(ratio.powi(slopes.dim(0) as i32)), 0);
        }
        slopes.slice(0, 0, n_head).scale(-self.slope_scale).unary(Unary::Exp).reshape(&[1, n_head])
    }
}

impl Block for Lightning {
    fn forward<'g>(&self, _: &Step<'g>, x: Tensor<'g>) -> Tensor<'g> {
        let [d, n_head] = self.heads;
        let [q, k, v] = self.qkv.forward(x).silu().reshape(&[3 * d, n_head]).split([d; 3]);
        let nothing = k.scale(0.0);
        let y = q.wkv7(self.memory, [self.decay(x).repeat(&self.heads), k, v, nothing, nothing]);
        let y = self.norm.forward(y.reshape(&[n_head * d]));
        self.output.forward(self.gate.forward(x).sigmoid() * y)
    }
}
