//! Normalizations of each vector of `dims[0]`.

use super::Op;
use crate::{Tensor, Weight};

/// What a vector is divided by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NormKind {
    /// `x / sqrt(mean(x^2) + eps)` (Zhang and Sennrich 2019).
    Rms,
    /// `(x - mean) / sqrt(variance + eps)` (Ba et al. 2016).
    Layer,
    /// `x / max(sqrt(sum(x^2)), eps)`.
    L2,
}

/// `norm(x) * weight + bias`; weight and bias are inputs when present and broadcast like arithmetic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Norm {
    pub kind: NormKind,
    pub eps: f32,
    pub weight: bool,
    pub bias: bool,
}

impl<'g> Tensor<'g> {
    /// `weight` and `bias` broadcast to `self`: `[n]` for every vector alike, `[n, n_head]` for each its own.
    #[track_caller]
    pub fn norm(self, kind: NormKind, eps: f32, weight: Option<Weight>, bias: Option<Weight>) -> Self {
        let s = self.shape();
        for w in weight.iter().chain(&bias) {
            let fits = w.shape.dims().iter().enumerate().all(|(i, &n)| n == 1 || n == s.dim(i));
            assert!(fits, "norm: {:?} does not broadcast to {s:?}", w.shape);
        }
        let norm = Norm { kind, eps, weight: weight.is_some(), bias: bias.is_some() };
        let rest: Vec<_> = weight.into_iter().chain(bias).map(|w| self.graph.weight(w)).collect();
        self.op(Op::Norm(norm), s, &rest)
    }
}
