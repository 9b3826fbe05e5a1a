//! Normalization with learned gain and bias.

use super::{Block, Hparams, NormKind, Result, Source, Step, Tensor, Weight};

/// Kind and epsilon of a norm.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NormSpec {
    pub(crate) kind: NormKind,
    pub(crate) eps: f32,
}

impl NormSpec {
    pub(crate) fn rms(at: &Source<'_>, hp: &Hparams) -> Result<Self> {
        Self::of(at, hp, NormKind::Rms)
    }

    /// With the epsilon that the file must then have.
    pub(crate) fn rms_of(at: &Source<'_>) -> Result<Self> {
        Ok(Self { kind: NormKind::Rms, eps: at.require("attention.layer_norm_rms_epsilon")? })
    }

    pub(crate) fn layer(at: &Source<'_>, hp: &Hparams) -> Result<Self> {
        Self::of(at, hp, NormKind::Layer)
    }

    fn of(at: &Source<'_>, hp: &Hparams, kind: NormKind) -> Result<Self> {
        Ok(Self { kind, eps: hp.eps(at, kind)? })
    }
}

/// `norm(x) * weight + bias`; the bias is used when the file has one.
#[derive(Debug)]
pub(crate) struct Norm {
    spec: NormSpec,
    weight: Option<Weight>,
    bias: Option<Weight>,
}

impl Norm {
    pub(crate) fn load(at: &Source<'_>, name: &str, spec: NormSpec, n: usize) -> Result<Self> {
        Self::shaped(at, name, spec, [n])
    }

    /// With gains of several extents, such as one vector a head.
    pub(crate) fn shaped<const N: usize>(
        at: &Source<'_>,
        name: &str,
        spec: NormSpec,
        dims: [usize; N],
    ) -> Result<Self> {
        let full = format!("{name}.weight");
        // Converters of PLaMo leave out the last part of some names.
        let weight = at.vector(if !at.has(&full) && at.has(name) { name } else { &full }, dims)?;
        let bias = at.vector_opt(&format!("{name}.bias"), dims)?;
        Ok(Self { spec, weight: Some(weight), bias })
    }

    /// If the file has it.
    pub(crate) fn optional(at: &Source<'_>, name: &str, spec: NormSpec, n: usize) -> Result<Option<Self>> {
        at.has(&format!("{name}.weight")).then(|| Self::load(at, name, spec, n)).transpose()
    }

    /// Without gain or bias.
    pub(crate) fn bare(spec: NormSpec) -> Self {
        Self { spec, weight: None, bias: None }
    }

    pub(crate) fn forward<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
        x.norm(self.spec.kind, self.spec.eps, self.weight, self.bias)
    }
}

impl Block for Norm {
    fn forward<'g>(&self, _: &Step<'g>, x: Tensor<'g>) -> Tensor<'g> {
        Self::forward(self, x)
    }
}
