//! `plamo2`: PLaMo 2: attention in some layers, in the others a Mamba whose heads have one decay each and whose gate lies
//! between them.

use crate::blocks::*;

pub(super) const ARCH: Arch = Arch::decoder("plamo2", |at, hp| {
    at.ignore_each(&["attn_qkv.scale", "ssm_in.scale", "ssm_out.scale"], "the reference engine does not apply it");
    let norm = NormSpec::rms(at, hp)?;
    let mixer: Box<dyn Block> = if hp.layer(at.index()).n_head_kv == 0 {
        HeadMamba::load(at, hp)?.into()
    } else {
        let qk_norm = Some(QkNorm::each_head(norm));
        Attention::load(at, AttentionSpec { qk_norm, ..AttentionSpec::neox(at, hp)? })?.into()
    };
    let ffn = Dense::load(at, FfnSpec { gate: Gate::InUp, ..FfnSpec::swiglu(at, hp)? })?;
    Layer::load(at, hp, (Norms::SANDWICH, norm), mixer, ffn)
});

/// Mamba's projections around Mamba-2's heads.
#[derive(Debug)]
struct HeadMamba {
    /// For each head its gate, then its input.
    input: Linear,
    conv: ShortConv,
    /// To input matrix, output matrix and time step, and the norms of these.
    selection: Linear,
    norms: [Norm; 3],
    time_step: Linear,
    a: Weight,
    d: Weight,
    output: Linear,
    memory: MemoryId,
    /// `[head_dim, n_head]`.
    heads: [usize; 2],
    /// Elements of the three parts.
    parts: [usize; 3],
}

impl HeadMamba {
    fn load(at: &Source<'_>, hp: &Hparams) -> Result<Self> {
        let spec = SsmSpec::load(at, hp)?;
        let SsmSpec { n_embd, d_inner, d_conv, d_state, dt_rank: n_head, norm } = spec;
        if !d_inner.is_multiple_of(n_head) {
            let problem = format!("heads do not divide {d_inner} channels");
            return Err(Error::value(&at.full_key("ssm.time_step_rank"), n_head, problem));
        }
        let n_step = (n_embd / 16).max(64);
        let learned = |name, n| Norm::load(at, name, norm, n);
        let by_head = |name| at.vector_as(name, [n_head], [1, n_head]);
        Ok(Self {
            input: Linear::load(at, "ssm_in", n_embd, 2 * d_inner)?,
            conv: ShortConv::load(at, "ssm_conv1d", d_conv, d_inner)?,
            selection: Linear::load(at, "ssm_x", d_inner, 2 * d_state + n_step)?,
            norms: [
                learned("ssm_b_norm", d_state)?,
                learned("ssm_c_norm", d_state)?,
                learned("ssm_dt_norm", n_step)?,
            ],
            time_step: Linear::load(at, "ssm_dt", n_step, n_head)?,
            a: by_head("ssm_a")?,
            d: by_head("ssm_d")?,
            output: Linear::load(at, "ssm_out", d_inner, n_embd)?,
            memory: at.remember(spec.state()),
            heads: [d_inner / n_head, n_head],
            parts: [d_state, d_state, n_step],
        })
    }
}

impl Block for HeadMamba {
    fn forward<'g>(&self, _: &Step<'g>, x: Tensor<'g>) -> Tensor<'g> {
        let [d, n_head] = self.heads;
        let [z, x] = self.input.forward(x).reshape(&[2 * d, n_head]).split([d; 2]);
        let x = self.conv.forward(x.reshape(&[d * n_head])).silu();
        let parts = self.selection.forward(x).split(self.parts);
        let [b, c, dt] = [0, 1, 2].map(|i| self.norms[i].forward(parts[i]));
        let [b, c] = [b, c].map(|t| t.reshape(&[self.parts[0], 1]));
        let x = x.reshape(&self.heads);
        let y = x.ssm_scan(self.memory, self.time_step.forward(dt), self.a, b, c) + x * self.d;
        self.output.forward(z.glu(Unary::Silu, y).reshape(&[d * n_head]))
    }
}
