//! `talkie`: Talkie: norms without gains, and the embedding added to the result of every layer.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::own("talkie", |file, hp| {
    let norm = NormSpec::rms(file, hp)?;
    file.ignore_each(&["output.scale", "output.input_scale"], "the reference engine does not apply it");
    Ok(Box::new(Talkie {
        embedding: Embedding::load(file, hp)?.normed(Norm::bare(norm)),
        layers: file.layers(hp.n_layer, |at| Ok((layer(at, hp, norm)?, at.vector("layer_output_scale.weight", [1])?)))?,
        head: Head::with(file, hp, Norm::bare(norm))?.scaled(file.require("logit_scale")?),
    }))
})
.scales(Scales::FFN);

#[derive(Debug)]
struct Talkie {
    embedding: Embedding,
    /// With the share of the embedding.
    layers: Vec<(Layer, Weight)>,
    head: Head,
}

impl Architecture for Talkie {
    fn forward<'g>(&self, step: &Step<'g>) -> Tensor<'g> {
        let embedded = self.embedding.forward(step);
        let mut x = embedded;
        for (layer, share) in &self.layers {
            x = step.layer_output(layer.forward(step, x) + embedded * *share);
        }
        self.head.forward(step, x)
    }
}

fn layer(at: &Source<'_>, hp: &Hparams, norm: NormSpec) -> Result<Layer> {
    for name in ["ffn_gate.scale", "ffn_up.scale"] {
        at.ignore(name, "the reference engine does not apply it");
    }
    let qk_norm = Some(QkNorm::rotated_queries(norm));
    let attention = Attention::load(at, AttentionSpec { qk_norm, ..AttentionSpec::neox(at, hp)? })?;
    let ffn = Dense::load(at, FfnSpec::swiglu(at, hp)?)?;
    Layer::load(at, hp, (Norms::BARE, norm), attention, ffn)
}
