//! The affine map, with what quantization adds to it.

use super::{Result, Source, Tensor, Weight};

/// `y = scale * W x + bias`. Scale (of a tensor whose type has none of its own) and bias are used when the file has
/// them.
#[derive(Debug)]
pub(crate) struct Linear {
    weight: Weight,
    scale: Option<Weight>,
    bias: Option<Weight>,
}

impl Linear {
    pub(crate) fn load(at: &Source<'_>, name: &str, n_in: usize, n_out: usize) -> Result<Self> {
        let weight = at.weight(&format!("{name}.weight"), [n_in, n_out])?;
        Self::with(at, name, weight, n_out)
    }

    /// If the file has it.
    pub(crate) fn optional(at: &Source<'_>, name: &str, n_in: usize, n_out: usize) -> Result<Option<Self>> {
        at.has(&format!("{name}.weight")).then(|| Self::load(at, name, n_in, n_out)).transpose()
    }

    /// The scale and bias of `name` around a weight that may be another's.
    pub(crate) fn with(at: &Source<'_>, name: &str, weight: Weight, n_out: usize) -> Result<Self> {
        ignore_input_scale(at, name);
        Ok(Self {
            weight,
            scale: at.vector_opt(&format!("{name}.scale"), [1])?,
            bias: at.vector_opt(&format!("{name}.bias"), [n_out])?,
        })
    }

    pub(crate) fn forward<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
        let mut y = x.matmul(self.weight);
        if let Some(scale) = self.scale {
            y = y * scale;
        }
        match self.bias {
            Some(bias) => y + bias,
            None => y,
        }
    }
}

/// NVFP4 files carry the scale of quantized activations; ours are quantized by their own.
pub(super) fn ignore_input_scale(at: &Source<'_>, name: &str) {
    at.ignore(&format!("{name}.input_scale"), "activations are quantized by scales of their own");
}
