//! `lfm2`: LFM2 (Liquid AI): short gated convolutions, attention in some layers.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::own("lfm2", |file, hp| load(file, hp, |at, hp| {
    Ok(Dense::load(at, FfnSpec::swiglu(at, hp)?)?.into())
}));

type LoadFfn = fn(&Source<'_>, &Hparams) -> Result<Box<dyn Block>>;

pub(super) fn load(file: &Source<'_>, hp: &mut Hparams, ffn: LoadFfn) -> Result<Box<dyn Architecture>> {
    if !hp.causal {
        let problem = "needs convolutions that look ahead, which there are not yet";
        return Err(Error::value(&file.full_key("attention.causal"), false, problem));
    }
    let norm = NormSpec::rms(file, hp)?;
    let layer = |at: &Source<'_>| {
        let mixer: Box<dyn Block> = if hp.layer(at.index()).n_head_kv == 0 {
            GatedConv::load(at, hp)?.into()
        } else {
            Attention::load(at, attention(at, hp)?)?.into()
        };
        Ok(Layer::load(at, hp, (Norms::PRE, norm), mixer, ffn(at, hp)?)?.into())
    };
    let head = Head::with(file, hp, Norm::load(file, "token_embd_norm", norm, hp.n_embd)?)?;
    Ok(Box::new(Decoder {
        embedding: Embedding::load(file, hp)?,
        layers: file.layers(hp.n_layer, layer)?,
        head: head.projected(projection(file, hp)?),
    }))
}

/// Of the hidden states that are given out (LFM2 ColBERT).
fn projection(file: &Source<'_>, hp: &mut Hparams) -> Result<Option<Linear>> {
    if !file.has("dense_2.weight") {
        return Ok(None);
    }
    hp.n_embd_out = file.extent_opt("embedding_length_out")?.unwrap_or(hp.n_embd);
    Linear::load(file, "dense_2", hp.n_embd, hp.n_embd_out).map(Some)
}

/// All of it in windows, if the file has one.
fn attention(at: &Source<'_>, hp: &Hparams) -> Result<AttentionSpec> {
    let spec = super::qwen3::attention(at, hp)?;
    Ok(match Window::load(at, hp, 0, Full::Last)? {
        Some(window) => window.mask(at, spec),
        None => spec,
    })
}

/// `out(c * conv(b * x))`.
#[derive(Debug)]
struct GatedConv {
    input: Linear,
    conv: ShortConv,
    output: Linear,
}

impl GatedConv {
    fn load(at: &Source<'_>, hp: &Hparams) -> Result<Self> {
        let n = hp.n_embd;
        Ok(Self {
            input: Linear::load(at, "shortconv.in_proj", n, 3 * n)?,
            conv: ShortConv::load(at, "shortconv.conv", at.extent_of("shortconv.l_cache")?, n)?,
            output: Linear::load(at, "shortconv.out_proj", n, n)?,
        })
    }
}

impl Block for GatedConv {
    fn forward<'g>(&self, _: &Step<'g>, x: Tensor<'g>) -> Tensor<'g> {
        let [b, c, x] = self.input.forward(x).split([x.dim(0); 3]);
        self.output.forward(c * self.conv.forward(b * x))
    }
}
