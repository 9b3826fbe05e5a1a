//! Compressing memory: one vector for each few tokens (DeepSeek-V4).

use super::Op;
use crate::{MemoryId, MemorySpec, Shape, Tensor, Weight};

/// For the last of each `ratio` tokens, the sum of their vectors, each element weighed by the softmax over these tokens
/// of a score of its own. Zeros for all other tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compress {
    /// Of each token its vector, and behind it as many scores.
    pub memory: MemoryId,
    pub ratio: usize,
    /// Vectors have two halves, and so have scores: the first takes part in the sum of the `ratio` tokens after the
    /// token's own, the second in that of its own.
    pub overlap: bool,
}

impl Compress {
    /// Elements of what tokens are compressed to, from vectors of `n`.
    pub fn dim(&self, n: usize) -> usize {
        if self.overlap { n / 2 } else { n }
    }
}

impl<'g> Tensor<'g> {
    /// `self` is the handle of the memory; `bias [n, ratio]` is added to the scores by the place of a token among its
    /// `ratio`. The result is `[n, r]`, or half of that with `overlap`.
    #[track_caller]
    pub fn compress(self, bias: Weight, compress: Compress, spec: &MemorySpec) -> Self {
        let (Compress { ratio, overlap, .. }, n) = (compress, bias.shape.dim(0));
        let MemorySpec::Recent { dim, window } = *spec else {
            panic!("what is compressed is recent tokens, not {spec:?}");
        };
        let reach = if overlap { 2 * ratio } else { ratio };
        let fits = ratio > 0 && dim == 2 * n && bias.shape.dim(1) == ratio && window >= reach;
        assert!(fits && (!overlap || n % 2 == 0), "{compress:?} of {spec:?} with {:?}", bias.shape);
        let bias = self.graph.weight(bias);
        self.op(Op::Compress(compress), Shape::new(&[compress.dim(n)], self.shape().rows()), &[bias])
    }
}
