//! Products with weights, in chunks of weight rows.
//!
//! Vectors that lie one after the other are multiplied where they are; those that a matrix picks from here and there
//! (heads, experts) are gathered first and their results scattered.
#![expect(unsafe_code, reason = "operands are parts of shared arenas")]

use std::ops::Range;

use bytemuck::Zeroable;
use tensor::{DType, MatMul};

use crate::executor::Run;
use crate::kernels::{Activations, Kernels, Out, PANEL, Scratch, Weights};
use crate::quantize::{BLOCK, BlockQ8, Rounding};
use crate::tasks::MatMulTask;
use crate::value::Vectors;

/// Chunks a thread may claim, so that uneven chunks even out.
const CHUNKS_PER_THREAD: usize = 8;
/// Float32 units of a quantized block.
const BLOCK_UNITS: usize = size_of::<BlockQ8>() / 4;

/// A thread's buffers.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    kernel: Scratch,
    /// The vectors that one matrix multiplies: row and inner index.
    pairs: Vec<(usize, usize)>,
    floats: Vec<f32>,
    blocks: Vec<BlockQ8>,
    results: Vec<f32>,
}

/// How activations are quantized for weights of this type, if they are.
pub(crate) fn rounding(weights: DType) -> Option<Rounding> {
    weights.is_quantized().then(|| Rounding::of(weights))
}

/// Float32 units that the quantized form of `n` activations takes.
pub(crate) fn quantized_units(n: usize) -> usize {
    n.div_ceil(BLOCK) * BLOCK_UNITS
}

/// Quantizes each vector of a row.
pub(crate) fn quantize(kernels: Kernels, rounding: Rounding, x: &Vectors<'_>, out: &mut [f32]) {
    for (n, out) in out.chunks_exact_mut(quantized_units(x.dims[0])).enumerate() {
        kernels.quantize_row(rounding, x.vector(n), bytemuck::cast_slice_mut(out));
    }
}

/// Matrices with work to do.
fn n_matrices(task: &MatMulTask, run: &Run<'_>) -> usize {
    match &task.groups {
        // SAFETY: the rows were grouped in an earlier stage.
        Some(groups) => unsafe { groups.chosen(run) }.len(),
        None => task.weight.weight.shape.dim(2),
    }
}

/// Weight rows of one chunk: whole panels.
fn chunk_rows(task: &MatMulTask, run: &Run<'_>, n_matrices: usize) -> usize {
    let n_chunks = (run.n_threads * CHUNKS_PER_THREAD).div_ceil(n_matrices.max(1));
    task.weight.weight.shape.dim(1).div_ceil(n_chunks).next_multiple_of(PANEL)
}

pub(crate) fn n_chunks(task: &MatMulTask, run: &Run<'_>) -> usize {
    if run.n_rows(task.x.rows) == 0 {
        return 0;
    }
    let n_matrices = n_matrices(task, run);
    n_matrices * task.weight.weight.shape.dim(1).div_ceil(chunk_rows(task, run, n_matrices))
}

/// # Safety
/// As for [`super::chunk`].
pub(crate) unsafe fn chunk(task: &MatMulTask, run: &Run<'_>, chunk: usize, buffers: &mut Buffers) {
    let n_out = task.weight.weight.shape.dim(1);
    let size = chunk_rows(task, run, n_matrices(task, run));
    let n_chunks = n_out.div_ceil(size);
    let (matrix, part) = (chunk / n_chunks, chunk % n_chunks);
    let rows = part * size..((part + 1) * size).min(n_out);
    // SAFETY: inputs are of earlier stages; columns `rows` of every result of this matrix belong to this chunk.
    unsafe {
        if task.kind == MatMul::Plain && task.x.row_stride == task.x.row_len() {
            in_place(task, run, rows, buffers);
        } else {
            let matrix = task.groups.as_ref().map_or(matrix, |g| g.chosen(run)[matrix] as usize);
            gathered(task, run, matrix, rows, buffers);
        }
    }
}

/// The weights of one matrix.
fn weights(task: &MatMulTask, matrix: usize) -> Weights<'_> {
    let weight = &task.weight;
    let (n_in, n_out) = (weight.weight.shape.dim(0), weight.weight.shape.dim(1));
    let matrix_bytes = weight.row_bytes().expect("checked when the weight was loaded") * n_out;
    let data = &weight.bytes()[matrix * matrix_bytes..(matrix + 1) * matrix_bytes];
    Weights::new(weight.weight.dtype, data, n_in)
}

/// Where results go: `n_vectors` vectors of `stride` elements from `base`.
#[derive(Clone, Copy)]
struct Target {
    base: *mut f32,
    stride: usize,
    n_vectors: usize,
}

/// Multiplies `rows` of `weights` with the vectors of `x`.
///
/// # Safety
/// Elements `rows` of every vector of the target belong to the caller.
unsafe fn multiply(
    kernels: Kernels,
    task: &MatMulTask,
    matrix: usize,
    x: Activations<'_>,
    rows: Range<usize>,
    target: Target,
    scratch: &mut Scratch,
) {
    // SAFETY: the caller's promise.
    let mut out = unsafe { Out::from_raw(target.base, target.stride, target.n_vectors, rows.clone()) };
    // Each weight row is streamed past a few vectors; for more, panels of rows are unpacked.
    if target.n_vectors <= kernels.dot_tokens(task.weight.weight.dtype) {
        kernels.dot(weights(task, matrix), x, rows, &mut out);
    } else {
        kernels.tile(weights(task, matrix), x, rows, &mut out, scratch);
    }
}

/// All vectors of all rows, which follow one another.
///
/// # Safety
/// Columns `rows` of the result belong to the caller; the activations are done.
unsafe fn in_place(task: &MatMulTask, run: &Run<'_>, rows: Range<usize>, buffers: &mut Buffers) {
    let inner = task.out.dims[1] * task.out.dims[2] * task.out.dims[3];
    let n_vectors = run.n_rows(task.x.rows) * inner;
    // SAFETY: the caller's promise.
    let (x, base) = unsafe { (run.all(&task.x), run.start(&task.out)) };
    let x = if task.weight.weight.dtype.is_quantized() {
        Activations::Quantized(bytemuck::cast_slice(x))
    } else {
        Activations::Float(x)
    };
    let target = Target { base, stride: task.out.dims[0], n_vectors };
    // SAFETY: the result has `n_vectors` vectors of `dims[0]` elements; the caller owns the columns `rows`.
    unsafe { multiply(run.kernels, task, 0, x, rows, target, &mut buffers.kernel) };
}

/// The vectors that matrix `matrix` multiplies, wherever they lie.
///
/// # Safety
/// Columns `rows` of their results belong to the caller; the activations are done.
unsafe fn gathered(
    task: &MatMulTask,
    run: &Run<'_>,
    matrix: usize,
    rows: Range<usize>,
    buffers: &mut Buffers,
) {
    let Buffers { kernel, pairs, floats, blocks, results } = buffers;
    pairs.clear();
    // SAFETY: the caller's promise.
    unsafe { find_pairs(task, run, matrix, pairs) };
    if pairs.is_empty() {
        return;
    }
    let quantized = task.weight.weight.dtype.is_quantized();
    floats.clear();
    blocks.clear();
    for &(row, i) in pairs.iter() {
        // SAFETY: the caller's promise.
        let x = unsafe { run.row(&task.x, row) };
        let x = x.vector(if x.count() == 1 { 0 } else { i });
        if quantized {
            let start = blocks.len();
            blocks.resize(start + x.len() / BLOCK_UNITS, BlockQ8::zeroed());
            bytemuck::cast_slice_mut(&mut blocks[start..]).copy_from_slice(x);
        } else {
            floats.extend_from_slice(x);
        }
    }
    let x = if quantized { Activations::Quantized(blocks) } else { Activations::Float(floats) };
    let n_out = task.out.dims[0];
    if results.len() < pairs.len() * n_out {
        results.resize(pairs.len() * n_out, 0.0);
    }
    let target = Target { base: results.as_mut_ptr(), stride: n_out, n_vectors: pairs.len() };
    // SAFETY: the results are this thread's own.
    unsafe { multiply(run.kernels, task, matrix, x, rows.clone(), target, kernel) };
    for (&(row, i), result) in pairs.iter().zip(results.chunks_exact(n_out)) {
        // SAFETY: the caller's promise.
        let out = unsafe { run.part_mut(&task.out, row, i * n_out + rows.start, rows.len()) };
        out.copy_from_slice(&result[rows.clone()]);
    }
}

/// Which vectors matrix `matrix` multiplies.
///
/// # Safety
/// The inputs are done.
unsafe fn find_pairs(task: &MatMulTask, run: &Run<'_>, matrix: usize, pairs: &mut Vec<(usize, usize)>) {
    let n_rows = run.n_rows(task.x.rows);
    let inner = task.out.dims[1] * task.out.dims[2] * task.out.dims[3];
    match (task.kind, &task.groups) {
        (MatMul::Plain, _) => pairs.extend((0..n_rows).flat_map(|row| (0..inner).map(move |i| (row, i)))),
        (MatMul::Heads, _) => pairs.extend((0..n_rows).map(|row| (row, matrix))),
        // SAFETY: the caller's promise.
        (MatMul::Experts, Some(groups)) => pairs.extend(unsafe { groups.choices(run, matrix) }),
        (MatMul::Experts, None) => unreachable!("the graph builder gives experts their ids"),
    }
}
