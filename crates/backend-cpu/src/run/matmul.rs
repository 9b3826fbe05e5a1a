//! Products with weights, in chunks of weight rows.
#![expect(unsafe_code, reason = "operands are parts of shared arenas")]

use std::ops::Range;

use tensor::{DType, MatMul};

use crate::executor::Run;
use crate::tasks::{MatMulTask, share};
use crate::value::{Vectors, as_i32};

/// Weight rows below which a chunk is not worth claiming.
const MIN_CHUNK_ROWS: usize = 32;
/// Chunks a thread may claim, so that uneven chunks even out.
const CHUNKS_PER_THREAD: usize = 8;

/// A thread's buffers.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    /// One decoded weight row.
    row: Vec<f32>,
    /// The vectors that one matrix multiplies: row and inner index.
    pairs: Vec<(usize, usize)>,
}

/// Whether activations are quantized for weights of this type.
pub(crate) fn quantizes_activation(_dtype: DType) -> bool {
    false
}

/// Float32 units that the quantized form of `n` activations takes.
pub(crate) fn quantized_units(n: usize) -> usize {
    n
}

pub(crate) fn quantize(x: &Vectors<'_>, out: &mut [f32]) {
    for (n, y) in out.chunks_exact_mut(x.dims[0]).enumerate() {
        y.copy_from_slice(x.vector(n));
    }
}

/// Chunks over the rows of one matrix.
fn row_chunks(task: &MatMulTask, run: &Run<'_>) -> usize {
    let n_out = task.weight.weight.shape.dim(1);
    n_out.div_ceil(MIN_CHUNK_ROWS).clamp(1, run.n_threads * CHUNKS_PER_THREAD)
}

pub(crate) fn n_chunks(task: &MatMulTask, run: &Run<'_>) -> usize {
    if run.n_rows(task.x.rows) == 0 {
        return 0;
    }
    row_chunks(task, run) * task.weight.weight.shape.dim(2)
}

/// # Safety
/// As for [`super::chunk`].
pub(crate) unsafe fn chunk(task: &MatMulTask, run: &Run<'_>, chunk: usize, buffers: &mut Buffers) {
    let n_chunks = row_chunks(task, run);
    let (matrix, part) = (chunk / n_chunks, chunk % n_chunks);
    let n_out = task.weight.weight.shape.dim(1);
    let rows = share(n_out, n_chunks, part);
    let mut pairs = std::mem::take(&mut buffers.pairs);
    pairs.clear();
    // SAFETY: inputs are of earlier stages.
    unsafe { find_pairs(task, run, matrix, &mut pairs) };
    // SAFETY: the columns `rows` of every pair's result belong to this chunk.
    unsafe { multiply(task, run, matrix, rows, &pairs, &mut buffers.row) };
    buffers.pairs = pairs;
}

/// Which vectors matrix `matrix` multiplies.
///
/// # Safety
/// The inputs are done.
unsafe fn find_pairs(task: &MatMulTask, run: &Run<'_>, matrix: usize, pairs: &mut Vec<(usize, usize)>) {
    let n_rows = run.n_rows(task.x.rows);
    let inner = task.out.dims[1] * task.out.dims[2] * task.out.dims[3];
    match (task.kind, &task.ids) {
        (MatMul::Plain, _) => pairs.extend((0..n_rows).flat_map(|row| (0..inner).map(move |i| (row, i)))),
        (MatMul::Heads, _) => pairs.extend((0..n_rows).map(|row| (row, matrix))),
        (MatMul::Experts, Some(ids)) => {
            for row in 0..n_rows {
                // SAFETY: the caller's promise.
                let ids = as_i32(unsafe { run.row(ids, row) }.data);
                let chosen = ids.iter().enumerate().filter(|(_, id)| **id as usize == matrix);
                pairs.extend(chosen.map(|(used, _)| (row, used)));
            }
        }
        (MatMul::Experts, None) => unreachable!("the graph builder gives experts their ids"),
    }
}

/// # Safety
/// Columns `rows` of the pairs' results belong to the caller.
unsafe fn multiply(
    task: &MatMulTask,
    run: &Run<'_>,
    matrix: usize,
    rows: Range<usize>,
    pairs: &[(usize, usize)],
    decoded: &mut Vec<f32>,
) {
    let weight = &task.weight;
    let row_bytes = weight.row_bytes().expect("checked when the weight was loaded");
    let (n_in, n_out) = (weight.weight.shape.dim(0), weight.weight.shape.dim(1));
    decoded.resize(n_in, 0.0);
    for r in rows {
        let start = (matrix * n_out + r) * row_bytes;
        quant::decode(weight.weight.dtype, &weight.bytes()[start..start + row_bytes], decoded)
            .expect("whole rows of a checked weight");
        for &(row, i) in pairs {
            // SAFETY: inputs are of earlier stages; the element is the caller's.
            unsafe {
                let x = run.row(&task.x, row);
                let x = x.vector(if x.count() == 1 { 0 } else { i });
                let sum: f32 = x.iter().zip(decoded.iter()).map(|(a, b)| a * b).sum();
                run.part_mut(&task.out, row, i * n_out + r, 1)[0] = sum;
            }
        }
    }
}
