//! Choosing what attention sees: the lightning indexer (DeepSeek-V3.2), also from compressed tokens (DeepSeek-V4), and those
//! that choose blocks of tokens (MiniMax M3, Qwen 4, GLM-5.3).

use super::{Chosen, Op};
use crate::{Elem, MemoryId, MemorySpec, Tensor};

/// For each token, the `k` blocks with the highest scores of those it sees something of (itself and what precedes it);
/// of two with the same score the earlier. A sequence is cut into blocks from its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choose {
    /// Keys that all heads share.
    pub memory: MemoryId,
    pub k: usize,
    /// Rows that make a block, of the memory that is attended to.
    pub block: usize,
    pub by: Scores,
}

/// What scores a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scores {
    /// `sum over heads of weight * max(q.k, 0)`. A block has one key, as soon as it is whole; the tokens behind whole blocks
    /// are seen besides the `k`.
    Sum,
    /// Each head chooses for itself by the greatest `q.k` of the tokens that are seen, which have a key each. The `n_local`
    /// last blocks are always among the `k`.
    Max { n_local: usize },
}

impl Choose {
    /// What attention needs to know to read the choice.
    pub fn chosen(self) -> Chosen {
        let Self { k, block, .. } = self;
        let rest = if self.by == Scores::Sum { block - 1 } else { 0 };
        Chosen { block, whole: k * block + rest }
    }

    /// Numbers in the result, of each head that chooses.
    fn n_numbers(self) -> usize {
        self.k + usize::from(self.by == Scores::Sum && self.block > 1)
    }
}

impl<'g> Tensor<'g> {
    /// `self` are queries `[key_dim, n_head, r]`, `keys` is the handle of a memory of keys alone, `weights [n_head, r]` are
    /// 1 where there are none. The result are numbers of blocks, ascending, with zeros behind them where a token sees fewer:
    /// i32 `[k (+ 1 for what is behind whole blocks of several tokens), r]`, or `[k, n_head, r]` where each head chooses.
    #[track_caller]
    pub fn choose(self, keys: Self, weights: Option<Self>, choose: Choose, spec: &MemorySpec) -> Self {
        let q = self.shape();
        assert_eq!(keys.elem(), Elem::Token, "choices read memory by handle");
        if let Some(w) = &weights {
            assert_eq!(w.shape(), q.with_dims(&[q.dim(1)]), "weights of the heads of {q:?}");
        }
        let MemorySpec::Kv { n_head_kv: 1, key_dim, window: None, ratio, .. } = *spec else {
            panic!("choices are made from keys of one head, of all tokens, not {spec:?}");
        };
        assert!(key_dim == q.dim(0) && choose.k > 0 && choose.block > 0, "{choose:?} by {q:?} from {spec:?}");
        let n = choose.n_numbers();
        let shape = match choose.by {
            Scores::Sum => {
                assert!([1, ratio].contains(&choose.block), "{choose:?} from {spec:?}");
                q.with_dims(&[n])
            }
            Scores::Max { n_local } => {
                assert!(n_local <= choose.k && weights.is_none() && ratio == 1, "{choose:?} from {spec:?}");
                q.with_dims(&[n, q.dim(1)])
            }
        };
        let inputs: Vec<_> = [Some(keys), weights].into_iter().flatten().collect();
        self.op_of(Op::Choose(choose), shape, Elem::I32, &inputs)
    }
}
