//! Short causal convolutions: each channel looks back over a few tokens, which the layer remembers.

use super::{MemoryId, MemorySpec, Result, Source, Tensor, Weight};

#[derive(Debug)]
pub(crate) struct ShortConv {
    weight: Weight,
    bias: Option<Weight>,
    memory: MemoryId,
}

impl ShortConv {
    /// Over the last `d_conv` tokens of `n` channels.
    pub(crate) fn load(at: &Source<'_>, name: &str, d_conv: usize, n: usize) -> Result<Self> {
        let weight = at.vector(&format!("{name}.weight"), [d_conv, n])?;
        let bias = at.vector_opt(&format!("{name}.bias"), [n])?;
        Ok(Self { weight, bias, memory: at.remember(MemorySpec::State { len: (d_conv - 1) * n }) })
    }

    pub(crate) fn forward<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
        x.conv1d(self.memory, self.weight, self.bias)
    }
}
