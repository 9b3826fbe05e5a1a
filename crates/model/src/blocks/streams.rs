//! Several residual streams side by side, `[n_embd, n_stream]`, as AltUp and hyper-connections have them.

use super::Tensor;

/// Mixtures of streams: `[n_embd, n]` by shares `[n_stream, m]` becomes `[n_embd, m]`.
pub(crate) fn mix<'g>(streams: Tensor<'g>, shares: Tensor<'g>) -> Tensor<'g> {
    let n = streams.dim(1);
    let mixture = |i| (streams * shares.slice(1, i, 1).reshape(&[1, n])).sum(1);
    (1..shares.dim(1)).fold(mixture(0), |mixed, i| mixed.concat(mixture(i), 1))
}
