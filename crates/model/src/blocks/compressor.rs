//! Compressed memory (DeepSeek-V4): one key for each few tokens, the sum of their vectors, weighed by scores that each
//! token gives itself. Vectors and scores are remembered until their key is made, so that what a sequence remembers
//! depends on its tokens alone, and it can be cut at any of them.

use tensor::Compress;

use super::{
    Linear, MemoryId, MemorySpec, Norm, NormSpec, Result, Rope, Source, Step, Tensor, Timeline, ValueStore,
    Weight,
};

#[derive(Clone, Copy, Debug)]
pub(crate) struct CompressorSpec {
    pub(crate) n_embd: usize,
    /// Elements of a key.
    pub(crate) dim: usize,
    /// Whether a key is its own value.
    pub(crate) value: ValueStore,
    /// Tokens a key.
    pub(crate) ratio: usize,
    /// A key is the sum of twice as many: those before take part too, by vectors of their own.
    pub(crate) overlap: bool,
    /// How many tokens are remembered at least; more than the compression needs, so that a sequence can be cut.
    pub(crate) window: usize,
    pub(crate) norm: NormSpec,
    /// Of the last elements of a key, by the position of the first of its tokens.
    pub(crate) rope: Rope,
}

#[derive(Debug)]
pub(crate) struct Compressor {
    vector: Linear,
    score: Linear,
    /// `[n, ratio]`, of the scores, by the place of a token among those of its key.
    bias: Weight,
    norm: Norm,
    compress: Compress,
    memory: MemoryId,
    spec: CompressorSpec,
}

impl Compressor {
    pub(crate) fn load(at: &Source<'_>, name: &str, spec: CompressorSpec) -> Result<Self> {
        let CompressorSpec { n_embd, dim, value, ratio, overlap, .. } = spec;
        spec.rope.check(at, dim)?;
        let (n, reach) = if overlap { (2 * dim, 2 * ratio) } else { (dim, ratio) };
        let recent = at.remember(MemorySpec::Recent { dim: 2 * n, window: spec.window.max(reach) });
        Ok(Self {
            vector: Linear::load(at, &format!("{name}_kv"), n_embd, n)?,
            score: Linear::load(at, &format!("{name}_gate"), n_embd, n)?,
            // Quantizers treat this table as a matrix.
            bias: at.weight(&format!("{name}_ape.weight"), [n, ratio])?,
            norm: Norm::load(at, &format!("{name}_norm"), spec.norm, dim)?,
            compress: Compress { memory: recent, ratio, overlap },
            memory: at.remember(MemorySpec::Kv {
                n_head_kv: 1,
                key_dim: dim,
                value,
                ratio,
                window: None,
                timeline: Timeline::Sequence,
            }),
            spec: CompressorSpec { rope: spec.rope.back(ratio - 1), ..spec },
        })
    }

    pub(crate) fn ignore(at: &Source<'_>, name: &str, reason: &str) {
        ["kv", "gate", "ape", "norm"]
            .iter()
            .for_each(|part| at.ignore(&format!("{name}_{part}.weight"), reason));
    }

    /// Where the keys are.
    pub(crate) fn memory(&self) -> MemoryId {
        self.memory
    }

    /// Takes in `x`; the handle of the keys.
    pub(crate) fn forward<'g>(&self, step: &Step<'g>, x: Tensor<'g>) -> Tensor<'g> {
        let row = self.vector.forward(x).concat(self.score.forward(x), 0);
        let recent = step.append_kv(self.compress.memory, row.reshape(&[row.dim(0), 1]), None);
        let key = recent.compress(self.bias, self.compress, step.spec(self.compress.memory));
        let key = self.norm.forward(key).reshape(&[self.spec.dim, 1]);
        step.append_kv(self.memory, self.spec.rope.forward_last(step, key), None)
    }
}
