//! Ops are data: one enum entry with its parameters. A family's file holds the parameters, the shape rules and the
//! [`Tensor`](crate::Tensor) methods that build the nodes; what an op computes is defined by its scalar kernel in
//! `backend-cpu` and its cases in `backend::conformance`.

mod attention;
mod choose;
mod compress;
mod elementwise;
mod layout;
mod matmul;
mod norm;
mod recurrent;
mod rope;
mod select;
mod temperature;

pub use attention::{Attention, Chosen, Mask, RelativeBias};
pub use choose::{Choose, Scores};
pub use compress::Compress;
pub use elementwise::{Binary, Unary};
pub use matmul::MatMul;
pub use norm::{Norm, NormKind};
pub use recurrent::{Conv1d, Pool, SsmScan};
pub use rope::{Positions, Rope, RopeOrder, RopeTable};
pub use select::Reduce;
pub use temperature::Temperature;

use crate::{Elem, MemoryId, Weight};

/// Everything a device may be asked to compute.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// A value of the step.
    Input(Input),
    /// A weight of the file.
    Weight(Weight),
    /// `table [n, n_rows], ids [.., r] -> [n, .., r]`: rows of a table.
    Lookup,
    /// `weight, x (, ids) -> y`: see [`MatMul`].
    MatMul(MatMul),
    /// `x -> f(x)`.
    Unary(Unary),
    /// `a, b -> a f b`; `b` repeats along extents where it is 1 and over rows if it has none.
    Binary(Binary),
    /// `x -> mul * x + add`.
    Affine { mul: f32, add: f32 },
    /// `x -> min(max(x, min), max)`.
    Clamp { min: f32, max: f32 },
    /// `gate, up -> f(gate) * up`.
    Glu(Unary),
    /// `x (, weight) (, bias)`: see [`Norm`].
    Norm(Norm),
    /// `x -> exp(x - max) / sum`, over `dims[0]`.
    Softmax,
    /// `positions (, factors) -> [n_rot, r]`: cosines and sines, see [`RopeTable`].
    RopeTable(RopeTable),
    /// `positions -> [1, r]`, see [`Temperature`].
    Temperature(Temperature),
    /// `x, table -> x` rotated.
    Rope(Rope),
    /// `k [key_dim, n_head_kv, r] (, v) -> handle`: appends this step's rows to memory.
    AppendKv { memory: MemoryId },
    /// `-> handle`: memory filled by another layer or an earlier step.
    ReadKv { memory: MemoryId },
    /// `q, handle (, sinks) (, bias) (, chosen) -> [value_dim, n_head, r]`: see [`Attention`].
    Attention(Attention),
    /// `q, handle (, weights) -> i32 [k, r] or [k, n_head, r]`: see [`Choose`].
    Choose(Choose),
    /// `handle, bias -> [dim, r]`: see [`Compress`].
    Compress(Compress),
    /// A part of extent `dim`.
    Slice { dim: usize, start: usize, len: usize },
    /// The same elements under other extents.
    Reshape,
    /// `a, b` joined along extent `dim`.
    Concat { dim: usize },
    /// Extents of 1 repeated to the shape of the node.
    Repeat,
    /// `x -> i32 [k, r]`: indices of the `k` largest of `dims[0]`, largest first, ties by index, divided by `n_per_group`.
    TopK { k: usize, n_per_group: usize },
    /// `ids -> ids`: the first of a pair becomes its second, any other id `otherwise` or, without that, stays.
    Remap { pairs: Vec<(i32, i32)>, otherwise: Option<i32> },
    /// `x [n, r], ids [k, r] -> [k, r]`: elements of `dims[0]` by index.
    Gather,
    /// `x [n, r] -> [n, r]`: of `n_group` equal groups keep the `n_used` with the greatest sum of their two largest
    /// elements; the others become negative infinity.
    KeepGroups { n_group: usize, n_used: usize },
    /// Sum or mean over extent `dim`, which becomes 1.
    Reduce { kind: Reduce, dim: usize },
    /// `x [.., n_tokens] -> [.., n_outputs]`: the rows whose results are wanted.
    SelectOutputs,
    /// `x [n, r], weight [d_conv, n] (, bias) -> [n, r]`: causal, per sequence, see [`Conv1d`].
    Conv1d(Conv1d),
    /// `x [n, r] -> [n, r]`, or `x [2n, r], bias -> [n, r]`: each row and those before it as one, see [`Pool`].
    Pool(Pool),
    /// `x, dt, a, b, c -> y`: selective state space, see [`SsmScan`].
    SsmScan(SsmScan),
    /// `x [n, r] -> [n, r]`: the row before, of the same sequence; the memory keeps the last.
    TokenShift { memory: MemoryId },
    /// `r, w, k, v, a, b -> y`, all `[head_size, n_head, r]`: the RWKV-7 recurrence; the state is
    /// `[head_size, head_size, n_head]`.
    Wkv7 { memory: MemoryId },
}

impl Op {
    /// The memory the op reads or writes.
    pub fn memory(&self) -> Option<MemoryId> {
        match self {
            Self::AppendKv { memory }
            | Self::ReadKv { memory }
            | Self::TokenShift { memory }
            | Self::Wkv7 { memory } => Some(*memory),
            Self::Attention(a) => Some(a.memory),
            Self::Choose(c) => Some(c.memory),
            Self::Compress(c) => Some(c.memory),
            Self::Conv1d(c) => Some(c.memory),
            Self::Pool(p) => Some(p.memory),
            Self::SsmScan(s) => Some(s.memory),
            _ => None,
        }
    }

    /// Whether the op changes memory, and so must run even if nothing reads its result.
    pub fn has_effect(&self) -> bool {
        let reads =
            matches!(self, Self::ReadKv { .. } | Self::Attention(_) | Self::Choose(_) | Self::Compress(_));
        !reads && self.memory().is_some()
    }

    /// Whether row `i` of the result depends on row `i` of the inputs alone, whatever the sequence.
    pub fn is_row_wise(&self) -> bool {
        match self {
            Self::Input(_) | Self::Weight(_) | Self::SelectOutputs => false,
            _ => self.memory().is_none(),
        }
    }
}

/// A value that comes with the step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Input {
    /// i32 `[n_tokens]`: token ids.
    Tokens,
    /// i32 `[n_pos, n_tokens]`: positions, several a token for multi-axis rotary embeddings.
    Positions(Positions),
    /// A value computed by another part of a split graph.
    Import { index: u32, elem: Elem },
}

impl Input {
    pub(crate) fn elem(self) -> Elem {
        match self {
            Self::Tokens | Self::Positions(_) => Elem::I32,
            Self::Import { elem, .. } => elem,
        }
    }
}
