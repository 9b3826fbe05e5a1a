//! Several residual streams side by side, `[n_embd, n_stream]`, as AltUp and hyper-connections have them.

use super::Tensor;

/// Mixtures of streams: each column of `shares`, `[n_stream, m]`, gives one of the `[n_embd, m]`.
pub(crate) fn mix<'g>(streams: Tensor<'g>, shares: Tensor<'g>) -> Tensor<'g> {
    let n = streams.dim(1);
    join(shares.dim(1), |i| (streams * shares.slice(1, i, 1).reshape(&[1, n])).sum(1))
}

/// Mixtures by the rows of `shares`, `[m, n_stream]`.
pub(crate) fn mix_by_rows<'g>(streams: Tensor<'g>, shares: Tensor<'g>) -> Tensor<'g> {
    join(shares.dim(0), |i| (streams * shares.slice(0, i, 1)).sum(1))
}

fn join<'g>(n: usize, stream: impl Fn(usize) -> Tensor<'g>) -> Tensor<'g> {
    (1..n).fold(stream(0), |joined, i| joined.concat(stream(i), 1))
}
