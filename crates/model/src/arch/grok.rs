//! `grok`: Grok 1 and 2: norms of inputs and outputs, bounded scores, experts gated by GELU; in the second a dense
//! network beside them.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("grok", |at, hp| {
    let mut spec = AttentionSpec::neox(at, hp)?;
    spec.scale = at.get_or("attention.output_scale", 0.088_388_35)?;
    spec.softcap = Some(at.get_or("attn_logit_softcapping", 30.0)?).filter(|&cap| cap != 0.0);
    if let Some(rope) = &mut spec.rope {
        rope.table.beta_fast = at.get_or("rope.scaling.yarn_beta_fast", 8.0)?;
        rope.table.beta_slow = at.get_or("rope.scaling.yarn_beta_slow", rope.table.beta_slow)?;
        rope.table.ext_factor = at.get_or("rope.scaling.yarn_ext_factor", rope.table.ext_factor)?;
    }
    let layer_norm = if at.has("layer_output_norm.weight") { "layer_output_norm" } else { "post_ffw_norm" };
    let norms = Norms { mixer_post: Some("attn_output_norm"), ffn_post: Some(layer_norm), ..Norms::PRE };
    let moe = Moe::load(at, MoeSpec { activation: Activation::GELU, ..MoeSpec::softmax(at, hp)? })?;
    let ffn: Box<dyn Block> = if at.has("ffn_up.weight") {
        let dense = FfnSpec { activation: Activation::GELU, ..FfnSpec::swiglu(at, hp)? };
        Both(moe, Dense::load(at, dense)?).into()
    } else {
        moe.into()
    };
    Layer::load(at, hp, (norms, NormSpec::rms(at, hp)?), Attention::load(at, spec)?, ffn)
})
.embedding(|at, hp| Ok(Embedding::load(at, hp)?.scaled(at.get_or("embedding_scale", 78.383_67)?)))
.head(|at, hp| {
    let head = Head::load(at, hp, NormSpec::rms(at, hp)?)?.scaled(at.get_or("logit_scale", 0.577_350_26)?);
    Ok(head.softcapped(at.get_or("final_logit_softcapping", 0.0)?))
});

#[derive(Debug)]
struct Both(Moe, Dense);

impl Block for Both {
    fn forward<'g>(&self, step: &Step<'g>, x: Tensor<'g>) -> Tensor<'g> {
        (self.1.forward(step, x) + self.0.forward(step, x)).scale(std::f32::consts::FRAC_1_SQRT_2)
    }
}
