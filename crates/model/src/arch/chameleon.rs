//! `chameleon`: Chameleon: layer norms of each head, norms of inputs or of outputs. It does not speak in images: their
//! tokens get the lowest score.

use std::ops::Range;

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::own("chameleon", |file, hp| {
    if hp.n_vocab < IMAGE_TOKENS.end {
        let problem = format!("is less than the {} that image tokens reach to", IMAGE_TOKENS.end);
        return Err(Error::value("tokenizer.ggml.tokens", hp.n_vocab, problem));
    }
    Ok(Box::new(Chameleon(Decoder {
        embedding: Embedding::load(file, hp)?,
        layers: file.layers(hp.n_layer, |at| Ok(layer(at, hp)?.into()))?,
        head: Head::load(file, hp, NormSpec::rms(file, hp)?)?,
    })))
});

const IMAGE_TOKENS: Range<usize> = 4..8196;

#[derive(Debug)]
struct Chameleon(Decoder);

impl Architecture for Chameleon {
    fn forward<'g>(&self, step: &Step<'g>) -> Tensor<'g> {
        let y = self.0.forward(step);
        if step.mode != Mode::Logits {
            return y;
        }
        let Range { start, end } = IMAGE_TOKENS;
        let silent = y.slice(0, start, end - start).clamp(f32::MIN, f32::MIN);
        let spoken = y.slice(0, 0, start).concat(silent, 0);
        if end == y.dim(0) { spoken } else { spoken.concat(y.slice(0, end, y.dim(0) - end), 0) }
    }
}

fn layer(at: &Source<'_>, hp: &Hparams) -> Result<Layer> {
    let qk_norm = Some(QkNorm::each_head(NormSpec { kind: NormKind::Layer, eps: 1e-5 }));
    let attention = Attention::load(at, AttentionSpec { qk_norm, ..AttentionSpec::interleaved(at, hp)? })?;
    let norms = if at.get_or("swin_norm", false)? {
        Norms { mixer: None, ffn: None, mixer_post: Some("attn_norm"), ffn_post: Some("ffn_norm") }
    } else {
        Norms::PRE
    };
    Layer::load(at, hp, (norms, NormSpec::rms(at, hp)?), attention, Dense::load(at, FfnSpec::swiglu(at, hp)?)?)
}
