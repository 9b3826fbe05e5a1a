//! `grovemoe`: GroveMoE: Qwen 3 with experts, each of which belongs to a group that has a small expert of its own, which
//! works on what the large ones gave.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("grovemoe", |at, hp| {
    let attention = Attention::load(at, super::qwen3::attention(at, hp)?)?;
    Layer::load(at, hp, (Norms::PRE, NormSpec::rms(at, hp)?), attention, Grove::load(at, hp)?)
});

#[derive(Debug)]
struct Grove {
    router: Linear,
    experts: Experts,
    group_experts: Experts,
    n_used: usize,
    n_group_used: usize,
    n_per_group: usize,
    group_scale: f32,
    scale: f32,
}

impl Grove {
    fn load(at: &Source<'_>, hp: &Hparams) -> Result<Self> {
        let spec = MoeSpec::softmax(at, hp)?;
        let MoeSpec { n_embd, n_expert, n_used, scale, .. } = spec;
        let n_per_group: usize = at.require("experts_per_group")?;
        if n_per_group == 0 || !n_expert.is_multiple_of(n_per_group) {
            let problem = format!("does not divide {n_expert} experts");
            return Err(Error::value(&at.full_key("experts_per_group"), n_per_group, problem));
        }
        let n_group = n_expert / n_per_group;
        let n_ff = at.extent_opt("expert_chunk_feed_forward_length")?.unwrap_or(hp.key_dim);
        let n_ff = Error::check_extent(&at.full_key("expert_chunk_feed_forward_length"), n_ff)?;
        Ok(Self {
            router: Linear::load(at, "ffn_gate_inp", n_embd, n_expert)?,
            experts: Experts::load(at, "exps", &spec)?,
            group_experts: Experts::load(at, "chexps", &MoeSpec { n_expert: n_group, n_ff, ..spec })?,
            n_used,
            n_group_used: n_used.min(n_group),
            n_per_group,
            group_scale: at.require("expert_group_scale")?,
            scale,
        })
    }
}

impl Block for Grove {
    fn forward<'g>(&self, _: &Step<'g>, x: Tensor<'g>) -> Tensor<'g> {
        let n = x.dim(0);
        let logits = self.router.forward(x);
        let (choice, shares) = (logits.sigmoid(), logits.softmax());
        let weigh = |experts: &Experts, x: Tensor<'g>, ids: Tensor<'g>| {
            let weights = shares.gather(ids);
            let weights = (weights / weights.sum(0).clamp(SMALLEST_SUM, f32::INFINITY)).scale(self.scale);
            let y = experts.forward(x.reshape(&[n, 1]), ids) * weights.reshape(&[1, ids.dim(0)]);
            y.sum(1).reshape(&[n])
        };
        let y = weigh(&self.experts, x, choice.top_k(self.n_used));
        let groups = choice.groups_of_top_k(self.n_group_used, self.n_per_group);
        weigh(&self.group_experts, y, groups).scale(self.group_scale) + y
    }
}
