//! `cohere2moe`: Command A with experts: Cohere 2 whose feed-forward is the mean of routed and shared experts.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("cohere2moe", |at, hp| {
    let mut spec = AttentionSpec::interleaved(at, hp)?;
    let window = Window::of(at, hp, at.require("attention.sliding_window")?, 4, Full::First)?;
    spec = window.mask(at, spec);
    let is_dense = at.index() < at.get_or("leading_dense_block_count", 0)?;
    if !window.covers(at) && !is_dense {
        spec.rope = None;
    }
    let moe = MoeSpec::by_keys(at, hp, Score::Sigmoid)?;
    let has_shared = moe.n_ff_shared > 0;
    let ffn = moe.behind_dense(at, hp)?;
    let ffn = if has_shared && !is_dense { Halved(ffn).into() } else { ffn };
    Ok(Layer::load(at, hp, (Norms::SHARED, norm(at, hp)?), Attention::load(at, spec)?, ffn)?.parallel())
})
.head(|at, hp| Ok(Head::load(at, hp, norm(at, hp)?)?.scaled(super::granite::scale(at, "logit_scale")?)))
.scales(Scales::ALL);

/// Layer norms, unless the file has the other epsilon.
fn norm(at: &Source<'_>, hp: &Hparams) -> Result<NormSpec> {
    if hp.norm_eps.rms.is_some() { NormSpec::rms(at, hp) } else { NormSpec::layer(at, hp) }
}

#[derive(Debug)]
struct Halved(Box<dyn Block>);

impl Block for Halved {
    fn forward<'g>(&self, step: &Step<'g>, x: Tensor<'g>) -> Tensor<'g> {
        self.0.forward(step, x).scale(0.5)
    }
}
