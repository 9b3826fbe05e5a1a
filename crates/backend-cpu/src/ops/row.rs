//! Row-wise ops by name: row `i` of the result from row `i` of the inputs.

use tensor::{Binary, Op};

use super::{elementwise, norm, rope, select, vector};
use crate::kernels::Kernels;
use crate::value::{Vectors, index};

/// Computes one row. `out` has the extents `dims` and is contiguous.
///
/// # Panics
/// For ops that are not row-wise: [`supported`] tells.
pub(crate) fn run(kernels: Kernels, op: &Op, ins: &[Vectors<'_>], dims: &[usize; 4], out: &mut [f32]) {
    if kernels.is_scalar() || !vector::run(kernels, op, ins, dims, out) {
        define(op, ins, dims, out);
    }
}

/// The definition of the ops.
fn define(op: &Op, ins: &[Vectors<'_>], dims: &[usize; 4], out: &mut [f32]) {
    let vector = dims[0].max(1);
    match op {
        Op::Unary(f) => each(ins, dims, out, |[x, ..], y| elementwise::unary(*f, x, y)),
        Op::Affine { mul, add } => each(ins, dims, out, |[x, ..], y| elementwise::affine(*mul, *add, x, y)),
        Op::Clamp { min, max } => each(ins, dims, out, |[x, ..], y| elementwise::clamp(*min, *max, x, y)),
        Op::Glu(f) => each(ins, dims, out, |[gate, up, _], y| elementwise::glu(*f, gate, up, y)),
        Op::Binary(f) => each(ins, dims, out, |[a, b, _], y| elementwise::binary(*f, a, b, y)),
        Op::Norm(n) => each(ins, dims, out, |[x, a, b], y| {
            let (weight, bias) = match (n.weight, n.bias) {
                (true, true) => (Some(a), Some(b)),
                (true, false) => (Some(a), None),
                (false, true) => (None, Some(a)),
                (false, false) => (None, None),
            };
            norm::norm(n.kind, n.eps, x, weight, bias, y);
        }),
        Op::Softmax => each(ins, dims, out, |[x, ..], y| norm::softmax(x, y)),
        Op::Rope(r) => {
            for (n, y) in out.chunks_exact_mut(vector).enumerate() {
                rope::rotate(r, ins[0].vector(n), ins[1].vector(0), y);
            }
        }
        Op::Temperature(t) => each(ins, dims, out, |[positions, ..], y| {
            rope::temperature(t, bytemuck::cast_slice(positions), y);
        }),
        Op::TopK { n_per_group, .. } => {
            each(ins, dims, out, |[x, ..], y| select::top_k(x, *n_per_group, bytemuck::cast_slice_mut(y)));
        }
        Op::Remap { pairs, otherwise } => each(ins, dims, out, |[ids, ..], y| {
            select::remap(pairs, *otherwise, bytemuck::cast_slice(ids), bytemuck::cast_slice_mut(y));
        }),
        Op::Gather => {
            each(ins, dims, out, |[x, ids, _], y| select::gather(x, bytemuck::cast_slice(ids), y));
        }
        Op::KeepGroups { n_group, n_used } => {
            each(ins, dims, out, |[x, ..], y| select::keep_groups(*n_group, *n_used, x, y));
        }
        Op::Reduce { kind, dim } => select::reduce(*kind, *dim, &ins[0], dims, out),
        Op::Concat { dim } => concat(*dim, ins, dims, out),
        Op::Repeat | Op::Reshape | Op::Slice { .. } => copy(&ins[0], dims, out),
        _ => unreachable!("{op:?} is not a row-wise op"),
    }
}

/// Whether [`run`] computes the op.
pub(crate) fn supported(op: &Op) -> bool {
    matches!(
        op,
        Op::Unary(_)
            | Op::Affine { .. }
            | Op::Clamp { .. }
            | Op::Glu(_)
            | Op::Binary(Binary::Add | Binary::Sub | Binary::Mul | Binary::Div)
            | Op::Norm(_)
            | Op::Softmax
            | Op::Rope(_)
            | Op::Temperature(_)
            | Op::TopK { .. }
            | Op::Remap { .. }
            | Op::Gather
            | Op::KeepGroups { .. }
            | Op::Reduce { .. }
            | Op::Concat { .. }
            | Op::Repeat
            | Op::Reshape
            | Op::Slice { .. }
    )
}

/// Calls `f` with the vectors of up to three inputs that belong to each vector of the result.
pub(super) fn each(
    ins: &[Vectors<'_>],
    dims: &[usize; 4],
    out: &mut [f32],
    f: impl Fn([&[f32]; 3], &mut [f32]),
) {
    for (n, y) in out.chunks_exact_mut(dims[0].max(1)).enumerate() {
        let i = index(dims, n);
        let at = |k: usize| ins.get(k).map_or(&[][..], |v| v.at(i));
        f([at(0), at(1), at(2)], y);
    }
}

fn concat(dim: usize, ins: &[Vectors<'_>], dims: &[usize; 4], out: &mut [f32]) {
    let split = ins[0].dims[dim];
    if dim == 0 {
        for (n, y) in out.chunks_exact_mut(dims[0]).enumerate() {
            let i = index(dims, n);
            y[..split].copy_from_slice(ins[0].at(i));
            y[split..].copy_from_slice(ins[1].at(i));
        }
        return;
    }
    for (n, y) in out.chunks_exact_mut(dims[0]).enumerate() {
        let mut i = index(dims, n);
        let second = i[dim - 1] >= split;
        if second {
            i[dim - 1] -= split;
        }
        y.copy_from_slice(ins[usize::from(second)].at(i));
    }
}

/// Copies with other extents: by vector where they match, by element where a vector of 1 repeats or extents differ.
fn copy(x: &Vectors<'_>, dims: &[usize; 4], out: &mut [f32]) {
    if x.dims[0] == dims[0] && x.count() <= out.len() / dims[0].max(1) && same_or_one(&x.dims, dims) {
        for (n, y) in out.chunks_exact_mut(dims[0].max(1)).enumerate() {
            y.copy_from_slice(x.at(index(dims, n)));
        }
    } else if same_or_one(&x.dims, dims) {
        for (n, y) in out.chunks_exact_mut(dims[0].max(1)).enumerate() {
            y.fill(x.at(index(dims, n))[0]);
        }
    } else {
        let mut rest = out;
        for n in 0..x.count() {
            let (y, tail) = std::mem::take(&mut rest).split_at_mut(x.dims[0]);
            y.copy_from_slice(x.vector(n));
            rest = tail;
        }
    }
}

fn same_or_one(from: &[usize; 4], to: &[usize; 4]) -> bool {
    from.iter().zip(to).all(|(a, b)| a == b || *a == 1)
}
