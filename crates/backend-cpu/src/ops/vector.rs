//! Row-wise ops by the vector kernels of an instruction set. What is not here is left to its scalar definition.

use tensor::{Binary, Norm, NormKind, Op, Rope, RopeOrder, Unary};

use super::row::each;
use crate::kernels::{Activation, Kernels};
use crate::value::Vectors;

/// Computes one row as its definition does; false if there is no kernel for it.
pub(crate) fn run(
    kernels: Kernels,
    op: &Op,
    ins: &[Vectors<'_>],
    dims: &[usize; 4],
    out: &mut [f32],
) -> bool {
    match op {
        Op::Unary(f) => match activation(*f) {
            Some(f) => each(ins, dims, out, |[x, ..], y| kernels.activate(f, x, y)),
            None => return false,
        },
        Op::Glu(f) => match activation(*f) {
            Some(f) => each(ins, dims, out, |[gate, up, _], y| kernels.activate_gated(f, gate, up, y)),
            None => return false,
        },
        Op::Affine { mul, add } => each(ins, dims, out, |[x, ..], y| kernels.affine(*mul, *add, x, y)),
        Op::Binary(Binary::Add) if have_length(ins, dims[0]) => {
            each(ins, dims, out, |[a, b, _], y| kernels.add(a, b, y));
        }
        Op::Binary(Binary::Mul) if have_length(ins, dims[0]) => {
            each(ins, dims, out, |[a, b, _], y| kernels.mul(a, b, y));
        }
        Op::Norm(n) if n.kind != NormKind::L2 && have_length(ins, dims[0]) => {
            each(ins, dims, out, |ins, y| norm(kernels, n, ins, y));
        }
        Op::Softmax => each(ins, dims, out, |[x, ..], y| {
            y.copy_from_slice(x);
            kernels.softmax(y);
        }),
        Op::Rope(r) if r.n_rot <= 2 * MOST_PAIRS => rope(kernels, r, ins, out),
        _ => return false,
    }
    true
}

/// Whether no operand repeats within a vector.
fn have_length(ins: &[Vectors<'_>], n: usize) -> bool {
    ins.iter().all(|v| v.dims[0] == n)
}

fn activation(f: Unary) -> Option<Activation> {
    Some(match f {
        Unary::Silu => Activation::Silu,
        Unary::Gelu => Activation::GeluTanh,
        Unary::GeluErf => Activation::GeluErf,
        Unary::GeluQuick => Activation::GeluQuick,
        Unary::Relu => Activation::Relu,
        Unary::ReluSquared => Activation::ReluSquared,
        Unary::Sigmoid => Activation::Sigmoid,
        Unary::Tanh => Activation::Tanh,
        Unary::Exp => Activation::Exp,
        Unary::Softplus | Unary::Square | Unary::Sqrt | Unary::Neg => return None,
    })
}

fn norm(kernels: Kernels, n: &Norm, [x, a, b]: [&[f32]; 3], y: &mut [f32]) {
    let (weight, bias) = match (n.weight, n.bias) {
        (true, true) => (Some(a), Some(b)),
        (true, false) => (Some(a), None),
        (false, true) => (None, Some(a)),
        (false, false) => (None, None),
    };
    match n.kind {
        NormKind::Layer => kernels.layer_norm(x, n.eps, weight, y),
        _ => kernels.rms_norm(x, n.eps, weight, y),
    }
    if let Some(bias) = bias {
        for (y, bias) in y.iter_mut().zip(bias) {
            *y += bias;
        }
    }
}

/// Pairs of the longest rotation that has room on the stack.
const MOST_PAIRS: usize = 256;

/// All heads of a row by one table, which is sorted into cosines and sines once.
fn rope(kernels: Kernels, r: &Rope, ins: &[Vectors<'_>], out: &mut [f32]) {
    let (x, half) = (&ins[0], r.n_rot / 2);
    let (mut cos, mut sin) = ([0.0; MOST_PAIRS], [0.0; MOST_PAIRS]);
    for (i, pair) in ins[1].vector(0).chunks_exact(2).take(half).enumerate() {
        (cos[i], sin[i]) = (pair[0], if r.inverse { -pair[1] } else { pair[1] });
    }
    let (cos, sin) = (&cos[..half], &sin[..half]);
    for (n, y) in out.chunks_exact_mut(x.dims[0].max(1)).enumerate() {
        let x = x.vector(n);
        match r.order {
            RopeOrder::Neox => kernels.rotate_halves(&x[..r.n_rot], cos, sin, &mut y[..r.n_rot]),
            RopeOrder::Interleaved => kernels.rotate_pairs(&x[..r.n_rot], cos, sin, &mut y[..r.n_rot]),
        }
        y[r.n_rot..].copy_from_slice(&x[r.n_rot..]);
    }
}
