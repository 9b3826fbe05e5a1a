//! The dense feed-forward network.

use super::attention::sub_norm;
use super::{Activation, Block, Error, Hparams, Linear, Norm, Result, Source, Step, Tensor, Unary, Weight};

/// Where the gate's matrix is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gate {
    /// There is none.
    None,
    /// `ffn_gate`.
    Own,
    /// The first half of the rows of `ffn_up`.
    InUp,
}

/// A dense feed-forward.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FfnSpec {
    pub(crate) n_embd: usize,
    pub(crate) n_ff: usize,
    pub(crate) gate: Gate,
    pub(crate) activation: Activation,
}

impl FfnSpec {
    /// SwiGLU of the layer's size (Shazeer 2020).
    pub(crate) fn swiglu(at: &Source<'_>, hp: &Hparams) -> Result<Self> {
        let n_ff = Error::check_extent(&at.full_key("feed_forward_length"), hp.layer(at.index()).n_ff)?;
        Ok(Self { n_embd: hp.n_embd, n_ff, gate: Gate::Own, activation: Activation::SILU })
    }

    /// Without a gate.
    pub(crate) fn plain(at: &Source<'_>, hp: &Hparams, f: Unary) -> Result<Self> {
        Ok(Self { gate: Gate::None, activation: Activation::Unary(f), ..Self::swiglu(at, hp)? })
    }
}

/// `down(f(gate x) * up x)`.
#[derive(Debug)]
pub(crate) struct Dense {
    gate: Option<Linear>,
    up: Linear,
    /// What stands between them is divided by this (AWQ).
    act_scales: Option<Weight>,
    /// Of the same (BitNet).
    sub_norm: Option<Norm>,
    down: Linear,
    spec: FfnSpec,
}

impl Dense {
    pub(crate) fn load(at: &Source<'_>, spec: FfnSpec) -> Result<Self> {
        Self::named(at, "", spec)
    }

    /// `suffix` tells the tensors of shared experts from others.
    pub(crate) fn named(at: &Source<'_>, suffix: &str, spec: FfnSpec) -> Result<Self> {
        let FfnSpec { n_embd, n_ff, gate, .. } = spec;
        let n_up = if gate == Gate::InUp { 2 * n_ff } else { n_ff };
        let scaled = if suffix.is_empty() { at.scales().ffn } else { at.scales().shared_experts };
        let linear = |part: &str, dims| Linear::in_ffn(at, &format!("ffn_{part}{suffix}"), dims, scaled);
        Ok(Self {
            gate: if gate == Gate::Own { Some(linear("gate", [n_embd, n_ff])?) } else { None },
            up: linear("up", [n_embd, n_up])?,
            act_scales: at.vector_opt("ffn.act.scales", [n_ff])?,
            sub_norm: sub_norm(at, "ffn_sub_norm", n_ff)?,
            down: linear("down", [n_ff, n_embd])?,
            spec,
        })
    }

    pub(crate) fn apply<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
        let up = self.up.forward(x);
        let (gate, up) = match self.spec.gate {
            Gate::InUp => {
                let [gate, up] = up.split([self.spec.n_ff; 2]);
                (Some(gate), up)
            }
            Gate::Own | Gate::None => (self.gate.as_ref().map(|g| g.forward(x)), up),
        };
        let mut y = self.spec.activation.forward(gate, up);
        if let Some(scales) = self.act_scales {
            y = y / scales;
        }
        if let Some(norm) = &self.sub_norm {
            y = norm.forward(y);
        }
        self.down.forward(y)
    }
}

impl Block for Dense {
    fn forward<'g>(&self, _: &Step<'g>, x: Tensor<'g>) -> Tensor<'g> {
        self.apply(x)
    }
}

/// `silu(x)`, a SwiGLU without its matrices. It is what the reference engine computes in a layer that it takes for
/// a dense one although the file has experts there; they go unused.
#[derive(Debug)]
pub(crate) struct Bare;

impl Bare {
    /// Instead of the experts of a layer.
    pub(crate) fn load(at: &Source<'_>) -> Self {
        let reason = "the reference engine takes the layer for a dense one";
        at.ignore_each(&["ffn_gate_inp.weight", "exp_probs_b.bias"], reason);
        for part in ["gate", "up", "down"] {
            for suffix in ["weight", "scale", "input_scale"] {
                at.ignore(&format!("ffn_{part}_exps.{suffix}"), reason);
                at.ignore(&format!("ffn_{part}_shexp.{suffix}"), reason);
            }
        }
        Self
    }
}

impl Block for Bare {
    fn forward<'g>(&self, _: &Step<'g>, x: Tensor<'g>) -> Tensor<'g> {
        x.silu()
    }
}
