//! Selective state spaces: Mamba (Gu and Dao 2023) and Mamba-2 (Dao and Gu 2024).

use super::{
    Block, Error, Hparams, Linear, MemoryId, MemorySpec, Norm, NormSpec, Result, ShortConv, Source, Step,
    Tensor, Unary, Weight,
};

/// Sizes, under the keys `ssm.*`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SsmSpec {
    pub(crate) n_embd: usize,
    pub(crate) d_inner: usize,
    pub(crate) d_conv: usize,
    pub(crate) d_state: usize,
    /// Rank of the time step in Mamba, number of heads in Mamba-2.
    pub(crate) dt_rank: usize,
    pub(crate) norm: NormSpec,
}

impl SsmSpec {
    pub(crate) fn load(at: &Source<'_>, hp: &Hparams) -> Result<Self> {
        Ok(Self {
            n_embd: hp.n_embd,
            d_inner: at.extent_of("ssm.inner_size")?,
            d_conv: at.extent_of("ssm.conv_kernel")?,
            d_state: at.extent_of("ssm.state_size")?,
            dt_rank: at.extent_of("ssm.time_step_rank")?,
            norm: NormSpec::rms(at, hp)?,
        })
    }

    /// What the recurrence remembers.
    pub(crate) fn state(&self) -> MemorySpec {
        MemorySpec::State { len: self.d_state * self.d_inner }
    }
}

/// Mamba: every channel is a head of its own.
#[derive(Debug)]
pub(crate) struct Mamba {
    input: Linear,
    conv: ShortConv,
    /// To time step, input matrix and output matrix.
    selection: Linear,
    /// Of these three.
    norms: Option<[Norm; 3]>,
    time_step: Linear,
    a: Weight,
    d: Weight,
    output: Linear,
    memory: MemoryId,
    spec: SsmSpec,
}

impl Mamba {
    pub(crate) fn load(at: &Source<'_>, hp: &Hparams) -> Result<Self> {
        let spec = SsmSpec::load(at, hp)?;
        let SsmSpec { n_embd, d_inner, d_conv, d_state, dt_rank, norm } = spec;
        let learned = |name, n| Norm::load(at, name, norm, n);
        let norms = if at.has("ssm_dt_norm.weight") {
            Some([
                learned("ssm_dt_norm", dt_rank)?,
                learned("ssm_b_norm", d_state)?,
                learned("ssm_c_norm", d_state)?,
            ])
        } else {
            at.get_or("ssm.dt_b_c_rms", false)?.then(|| [0; 3].map(|_| Norm::bare(norm)))
        };
        Ok(Self {
            input: Linear::load(at, "ssm_in", n_embd, 2 * d_inner)?,
            conv: ShortConv::load(at, "ssm_conv1d", d_conv, d_inner)?,
            selection: Linear::load(at, "ssm_x", d_inner, dt_rank + 2 * d_state)?,
            norms,
            time_step: Linear::load(at, "ssm_dt", dt_rank, d_inner)?,
            a: at.vector("ssm_a", [d_state, d_inner])?,
            d: at.vector("ssm_d", [d_inner])?,
            output: Linear::load(at, "ssm_out", d_inner, n_embd)?,
            memory: at.remember(spec.state()),
            spec,
        })
    }
}

impl Block for Mamba {
    fn forward<'g>(&self, _: &Step<'g>, x: Tensor<'g>) -> Tensor<'g> {
        let SsmSpec { d_inner, d_state, dt_rank, .. } = self.spec;
        let [x, z] = self.input.forward(x).split([d_inner; 2]);
        let x = self.conv.forward(x).silu();
        let mut parts = self.selection.forward(x).split([dt_rank, d_state, d_state]);
        if let Some(norms) = &self.norms {
            parts = [0, 1, 2].map(|i| norms[i].forward(parts[i]));
        }
        let [dt, b, c] = parts;
        let [b, c] = [b, c].map(|t| t.reshape(&[d_state, 1]));
        let dt = self.time_step.forward(dt);
        let y = x.reshape(&[1, d_inner]).ssm_scan(self.memory, dt, self.a, b, c).reshape(&[d_inner]);
        self.output.forward(z.glu(Unary::Silu, y + x * self.d))
    }
}

/// Mamba-2: heads with one decay each; groups of heads share input and output matrices.
#[derive(Debug)]
pub(crate) struct Mamba2 {
    input: Linear,
    conv: ShortConv,
    dt_bias: Weight,
    a: Weight,
    d: Weight,
    norm: Option<Norm>,
    output: Linear,
    memory: MemoryId,
    n_group: usize,
    spec: SsmSpec,
}

impl Mamba2 {
    pub(crate) fn load(at: &Source<'_>, hp: &Hparams) -> Result<Self> {
        let spec = SsmSpec::load(at, hp)?;
        let SsmSpec { n_embd, d_inner, d_conv, d_state, dt_rank: n_head, norm } = spec;
        let n_group = at.extent_opt("ssm.group_count")?.unwrap_or(1);
        if !d_inner.is_multiple_of(n_head) || !n_head.is_multiple_of(n_group) {
            let problem = format!("heads of {n_group} groups do not divide {d_inner} channels");
            return Err(Error::value(&at.full_key("ssm.time_step_rank"), n_head, problem));
        }
        let n_conv = d_inner + 2 * n_group * d_state;
        let gains = [d_inner / n_group, n_group];
        let has_norm = at.has("ssm_norm.weight");
        Ok(Self {
            input: Linear::load(at, "ssm_in", n_embd, d_inner + n_conv + n_head)?,
            conv: ShortConv::load(at, "ssm_conv1d", d_conv, n_conv)?,
            dt_bias: at.vector("ssm_dt.bias", [n_head])?,
            a: at.vector("ssm_a", [1, n_head])?,
            d: at.vector("ssm_d", [1, n_head])?,
            norm: if has_norm { Some(Norm::shaped(at, "ssm_norm", norm, gains)?) } else { None },
            output: Linear::load(at, "ssm_out", d_inner, n_embd)?,
            memory: at.remember(spec.state()),
            n_group,
            spec,
        })
    }
}

impl Block for Mamba2 {
    fn forward<'g>(&self, _: &Step<'g>, x: Tensor<'g>) -> Tensor<'g> {
        let (n_group, SsmSpec { d_inner, d_state, dt_rank: n_head, .. }) = (self.n_group, self.spec);
        let n_bc = n_group * d_state;
        let heads = |x: Tensor<'g>| x.reshape(&[d_inner / n_head, n_head]);
        let [z, xbc, dt] = self.input.forward(x).split([d_inner, d_inner + 2 * n_bc, n_head]);
        let [x, b, c] = self.conv.forward(xbc).silu().split([d_inner, n_bc, n_bc]);
        let x = heads(x);
        let [b, c] = [b, c].map(|t| t.reshape(&[d_state, n_group]));
        let y = x.ssm_scan(self.memory, dt + self.dt_bias, self.a, b, c) + x * self.d;
        let mut y = heads(z).glu(Unary::Silu, y);
        if let Some(norm) = &self.norm {
            y = norm.forward(y.reshape(&[d_inner / n_group, n_group]));
        }
        self.output.forward(y.reshape(&[d_inner]))
    }
}
