//! Attention over memory: one op for every head layout, mask and bias. No K, V or mask is ever materialized.

use super::Op;
use crate::{Elem, Graph, MemoryId, MemorySpec, Node, Rows, Shape, Tensor, Weight};

/// Which earlier tokens a token sees. Distances are counted in tokens of the sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mask {
    /// All of them, later ones too: encoders and cross attention.
    All,
    /// Itself and everything before it.
    Causal,
    /// Itself and the `n - 1` tokens before it.
    Window(usize),
    /// Itself and what precedes it in its chunk of `n` tokens.
    Chunk(usize),
    /// Tokens at most `n / 2` away on either side.
    Symmetric(usize),
}

/// T5's learned bias on the distance between two tokens, as an input weight `[n_head, n_bucket]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RelativeBias {
    pub n_bucket: usize,
    /// Half of the buckets are for tokens to the right.
    pub bidirectional: bool,
}

/// Streaming-softmax attention: `softmax(scale * q.k + bias) v` over the memory of the token's sequence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Attention {
    pub memory: MemoryId,
    /// Multiplies `q.k`.
    pub scale: f32,
    pub mask: Mask,
    /// `c * tanh(score / c)` after scaling (Gemma 2, Grok).
    pub softcap: Option<f32>,
    /// ALiBi: `-slope(head) * distance` is added, slopes from this maximal bias (Press et al. 2021).
    pub alibi_max_bias: Option<f32>,
    /// An extra input `[n_head]`: a score each head may spend on nothing (gpt-oss).
    pub sinks: bool,
    pub relative_bias: Option<RelativeBias>,
    /// An extra input, the numbers of blocks: each token sees only these, see [`Choose`](super::Choose).
    pub chosen: Option<Chosen>,
    /// The result has one more element a head: the logarithm of the sum of `exp(score)`, by which attention to several
    /// memories becomes one, see [`Tensor::join_attention`].
    pub log_sum: bool,
}

/// What the numbers of a choice mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Chosen {
    /// Rows of memory of a block.
    pub block: usize,
    /// A token that sees no more than so many rows sees them all: there the numbers mean nothing.
    pub whole: usize,
}

impl Attention {
    /// Causal attention with the usual scale of one over the root of the key length.
    pub fn causal(memory: MemoryId, key_dim: usize) -> Self {
        Self {
            memory,
            scale: 1.0 / (key_dim as f32).sqrt(),
            mask: Mask::Causal,
            softcap: None,
            alibi_max_bias: None,
            sinks: false,
            relative_bias: None,
            chosen: None,
            log_sum: false,
        }
    }
}

impl Graph {
    /// The handle of a memory that an earlier step filled, such as the encoder's: a memory this graph appends to is
    /// read by the handle of the append instead. Asking twice gives the same node.
    pub fn read_kv(&self, memory: MemoryId) -> Tensor<'_> {
        let shape = Shape::new(&[0], Rows::Tokens);
        self.shared(Node { op: Op::ReadKv { memory }, inputs: vec![], shape, elem: Elem::Token })
    }
}

impl<'g> Tensor<'g> {
    /// Appends keys `[key_dim, n_head_kv, n_tokens]` and values `[value_dim, n_head_kv, n_tokens]` to memory.
    /// Only memories with values of their own (`ValueStore::Own`) take values.
    #[track_caller]
    pub fn append_kv(self, memory: MemoryId, spec: &MemorySpec, value: Option<Self>) -> Self {
        let (key_dims, store) = match *spec {
            MemorySpec::Kv { n_head_kv, key_dim, value, .. } => ([key_dim, n_head_kv], value),
            MemorySpec::Recent { dim, .. } => ([dim, 1], crate::ValueStore::None),
            MemorySpec::State { .. } => panic!("memory {memory:?} is a state, not rows of tokens"),
        };
        let k = self.shape();
        assert_eq!([k.dim(0), k.dim(1)], key_dims, "keys {k:?} for {spec:?}");
        assert_eq!(value.is_some(), matches!(store, crate::ValueStore::Own { .. }), "values for {spec:?}");
        if let Some(v) = value {
            let v = v.shape();
            assert_eq!([v.dim(0), v.dim(1)], [store.dim(), key_dims[1]], "values {v:?} for {spec:?}");
        }
        let handle = Shape::new(&[0], Rows::Tokens);
        self.op_of(Op::AppendKv { memory }, handle, Elem::Token, value.as_slice())
    }

    /// `self` are queries `[key_dim, n_head, r]`, `kv` the handle of the memory, whose values have `value_dim`
    /// elements; the result is `[value_dim, n_head, r]`, or one longer with `log_sum`.
    #[track_caller]
    pub fn attention(
        self,
        kv: Self,
        value_dim: usize,
        attention: Attention,
        sinks: Option<Weight>,
        bias: Option<Weight>,
    ) -> Self {
        assert_eq!(attention.relative_bias.is_some(), bias.is_some(), "relative bias");
        let attention = Attention { chosen: None, ..attention };
        self.attend(kv, value_dim, attention, sinks.into_iter().chain(bias).map(|w| self.graph.weight(w)))
    }

    /// The same to no more than the blocks whose `numbers` a [`choose`](Self::choose) gave, i32 `[k, r]` or `[k, n_head_kv, r]`.
    #[track_caller]
    pub fn attention_to_chosen(
        self,
        kv: Self,
        value_dim: usize,
        attention: Attention,
        sinks: Option<Weight>,
        (chosen, numbers): (Chosen, Self),
    ) -> Self {
        let Attention { mask, alibi_max_bias, relative_bias, .. } = attention;
        let is_plain = mask == Mask::Causal && alibi_max_bias.is_none() && relative_bias.is_none();
        assert!(is_plain, "chosen tokens have no distance: {attention:?}");
        assert!(numbers.elem() == Elem::I32 && numbers.shape().rows() == self.shape().rows(), "chosen");
        let attention = Attention { chosen: Some(chosen), ..attention };
        let sinks = sinks.map(|w| self.graph.weight(w));
        self.attend(kv, value_dim, attention, sinks.into_iter().chain([numbers]))
    }

    #[track_caller]
    fn attend(
        self,
        kv: Self,
        value_dim: usize,
        attention: Attention,
        rest: impl Iterator<Item = Self>,
    ) -> Self {
        let q = self.shape();
        assert_eq!(kv.elem(), Elem::Token, "attention reads memory by handle");
        let rest: Vec<_> = std::iter::once(kv).chain(rest).collect();
        let n_given = 1 + usize::from(attention.sinks) + usize::from(attention.relative_bias.is_some());
        assert_eq!(rest.len(), n_given + usize::from(attention.chosen.is_some()), "inputs of {attention:?}");
        let dims = [value_dim + usize::from(attention.log_sum), q.dim(1)];
        self.op(Op::Attention(attention), q.with_dims(&dims), &rest)
    }

    /// Attention to what either of two memories holds, from attention to each of them, both with `log_sum`.
    #[track_caller]
    pub fn join_attention(self, other: Self) -> Self {
        assert_eq!(self.shape(), other.shape(), "joined attention");
        let dim = self.dim(0) - 1;
        let log_sum = |part: Self| part.slice(0, dim, 1);
        let shares = log_sum(self).concat(log_sum(other), 0).softmax();
        let [a, b] = [self, other].map(|part| part.slice(0, 0, dim));
        a * shares.slice(0, 0, 1) + b * shares.slice(0, 1, 1)
    }
}
