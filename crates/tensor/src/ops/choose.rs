//! Choosing the tokens that attention sees: the lightning indexer (DeepSeek-V3.2).

use super::Op;
use crate::{Elem, MemoryId, MemorySpec, Tensor};

/// For each token, those `k` of the rows it sees (of itself and what precedes it) with the highest scores
/// `sum over heads of weight * max(q.k, 0)`; of two with the same score the earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choose {
    /// Keys that all heads share, one a token or one a few tokens.
    pub memory: MemoryId,
    pub k: usize,
}

impl<'g> Tensor<'g> {
    /// `self` are queries `[key_dim, n_head, r]`, `weights` are `[n_head, r]`, `keys` is the handle of a memory of keys
    /// alone. The result is i32 `[k, r]`: places in the sequence, or of rows
    /// where a row stands for several tokens, ascending; zeros behind them where a token sees fewer.
    #[track_caller]
    pub fn choose(self, weights: Self, keys: Self, choose: Choose, spec: &MemorySpec) -> Self {
        let (q, w) = (self.shape(), weights.shape());
        assert_eq!(keys.elem(), Elem::Token, "choices read memory by handle");
        assert_eq!(w, q.with_dims(&[q.dim(1)]), "weights of the heads of {q:?}");
        let MemorySpec::Kv { n_head_kv: 1, key_dim, window: None, .. } = spec else {
            panic!("choices are made from keys of one head, of all tokens, not {spec:?}");
        };
        assert!(*key_dim == q.dim(0) && choose.k > 0, "{choose:?} by {q:?} from {spec:?}");
        self.op_of(Op::Choose(choose), q.with_dims(&[choose.k]), Elem::I32, &[weights, keys])
    }
}
