//! The affine map, with what quantization adds to it.

use tensor::DType;

use super::{Block, Result, Source, Step, Tensor, Weight};

/// Whose `.scale` tensors count. Converters write them beside NVFP4 weights, whose own scales have too little range,
/// and there they always count; beside weights of other types the reference engine applies them only in some places.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scales {
    pub(crate) ffn: bool,
    pub(crate) shared_experts: bool,
    pub(crate) experts: bool,
}

impl Scales {
    /// Of attention and other mixers.
    pub(crate) const MIXER: Self = Self { ffn: false, shared_experts: false, experts: false };
    /// And of dense feed-forwards.
    pub(crate) const FFN: Self = Self { ffn: true, ..Self::MIXER };
    /// And of experts.
    pub(crate) const EXPERTS: Self = Self { ffn: false, ..Self::ALL };
    pub(crate) const ALL: Self = Self { ffn: true, shared_experts: true, experts: true };
}

/// `y = scale * W x + bias`. Scale and bias are used when the file has them.
#[derive(Debug)]
pub(crate) struct Linear {
    weight: Weight,
    scale: Option<Weight>,
    bias: Option<Weight>,
    bias_first: bool,
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
        Ok(Self {
            weight,
            scale: scale(at, name, weight, true)?,
            bias: at.vector_opt(&format!("{name}.bias"), [n_out])?,
            bias_first: false,
        })
    }

    /// With a scale that is stored under another name.
    pub(crate) fn scaled_by(self, at: &Source<'_>, name: &str) -> Result<Self> {
        Ok(Self { scale: scale(at, name, self.weight, true)?, ..self })
    }

    /// In a feed-forward: the scale counts if `scaled`, and multiplies the bias too.
    pub(crate) fn in_ffn(
        at: &Source<'_>,
        name: &str,
        [n_in, n_out]: [usize; 2],
        scaled: bool,
    ) -> Result<Self> {
        let weight = at.weight(&format!("{name}.weight"), [n_in, n_out])?;
        Ok(Self {
            weight,
            scale: scale(at, name, weight, scaled)?,
            bias: at.vector_opt(&format!("{name}.bias"), [n_out])?,
            bias_first: true,
        })
    }

    pub(crate) fn forward<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
        let add = |y: Tensor<'g>| self.bias.map_or(y, |bias| y + bias);
        let multiply = |y: Tensor<'g>| self.scale.map_or(y, |scale| y * scale);
        let y = x.matmul(self.weight);
        if self.bias_first { multiply(add(y)) } else { add(multiply(y)) }
    }
}

impl Block for Linear {
    fn forward<'g>(&self, _: &Step<'g>, x: Tensor<'g>) -> Tensor<'g> {
        Self::forward(self, x)
    }
}

/// The scales of `weight` as a table `[1, n]`, one for each matrix it stacks, if the file has them and they count.
pub(super) fn scale(at: &Source<'_>, name: &str, weight: Weight, counts: bool) -> Result<Option<Weight>> {
    at.ignore(&format!("{name}.input_scale"), "activations are quantized by scales of their own");
    let name = format!("{name}.scale");
    if !at.has(&name) {
        return Ok(None);
    }
    if counts || weight.dtype == DType::NVFP4 {
        let n = weight.shape.dim(2);
        return at.vector_as(&name, [n], [1, n]).map(Some);
    }
    at.ignore(&name, "the reference engine does not apply it here");
    Ok(None)
}
