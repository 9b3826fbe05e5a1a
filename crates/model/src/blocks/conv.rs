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
        let full = format!("{name}.weight");
        // Some converters keep the extent of 1 that a depthwise convolution has in PyTorch.
        let weight = if at.has(&full) && at.extent(&full, 2)? == n && n > 1 {
            at.vector_as(&full, [d_conv, 1, n], [d_conv, n])?
        } else {
            at.vector(&full, [d_conv, n])?
        };
        let bias = at.vector_opt(&format!("{name}.bias"), [n])?;
        Ok(Self { weight, bias, memory: at.remember(MemorySpec::State { len: (d_conv - 1) * n }) })
    }

    pub(crate) fn forward<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
        x.conv1d(self.memory, self.weight, self.bias)
    }
}
