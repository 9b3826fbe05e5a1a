//! Choices of an indexer: chunks are rows, and for long contexts of few rows also parts of the keys, whose best the last
//! one to finish puts together.
#![expect(unsafe_code, reason = "operands are parts of shared arenas and of memory")]

use std::ops::Range;

use backend::{BLOCK_TOKENS, KvView};
use tensor::{Choose, Op};

use super::attention::{MOST_PARTS, PART_KEYS, place_of};
use crate::executor::Run;
use crate::kernels::attention::{Dims, Stored, Tile};
use crate::memory::{KvShape, VectorShape};
use crate::ops::attention::{dot_keys, rotate};
use crate::ops::choose::{Best, Scored, add_head};
use crate::tasks::{SequenceTask, share};
use crate::value::Vectors;

/// A thread's buffers.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    tile: Tile,
    best: Best,
    /// Of the definition: a query and a key.
    vectors: Vec<f32>,
}

/// Elements of the results of all parts: for each of the best its score and its token.
pub(crate) fn results_len(k: usize) -> usize {
    MOST_PARTS * 2 * k
}

/// Into how many parts the keys of each row are cut.
fn n_parts(task: &SequenceTask, run: &Run<'_>) -> usize {
    if run.kernels.is_scalar() {
        return 1;
    }
    let longest = kv(task).n_rows(run.longest(task.shape.group));
    (MOST_PARTS / run.n_rows(task.out.rows).max(1)).min(longest / PART_KEYS).max(1)
}

pub(crate) fn n_chunks(task: &SequenceTask, run: &Run<'_>) -> usize {
    run.n_rows(task.out.rows) * n_parts(task, run)
}

/// # Safety
/// As for [`super::chunk`].
pub(crate) unsafe fn chunk(task: &SequenceTask, run: &Run<'_>, chunk: usize, buffers: &mut Buffers) {
    let Op::Choose(choose) = &task.op else { unreachable!("{:?} chooses nothing", task.op) };
    let n_parts = n_parts(task, run);
    let (unit, part) = (chunk / n_parts, chunk % n_parts);
    // Later rows see more: the long chunks first.
    let row = run.n_rows(task.out.rows) - 1 - unit;
    let (view, position) = place_of(task.shape, run, row);
    let work = Work { choose, task, run, row, view, n_seen: kv(task).n_rows(position + 1) };
    // SAFETY: the row of the result belongs to this chunk, or this part of it.
    unsafe {
        if work.n_seen <= choose.k {
            if part == 0 {
                work.write(0..work.n_seen as u32);
            }
            return;
        }
        buffers.best.start(choose.k);
        work.score(work.blocks(part, n_parts), buffers);
        if n_parts == 1 || work.hand_in(&mut buffers.best, unit, part, n_parts) {
            work.write(buffers.best.finish().iter().map(|found| found.token));
        }
    }
}

fn kv(task: &SequenceTask) -> KvShape {
    task.shape.kv.expect("choices are made from keys")
}

/// One row, and what it sees: tokens, or rows of memory that stand for several.
struct Work<'a> {
    choose: &'a Choose,
    task: &'a SequenceTask,
    run: &'a Run<'a>,
    row: usize,
    view: KvView,
    n_seen: usize,
}

impl Work<'_> {
    /// The blocks of a part.
    fn blocks(&self, part: usize, n_parts: usize) -> Range<usize> {
        share(self.n_seen.div_ceil(BLOCK_TOKENS), n_parts, part)
    }

    /// How many tokens of some blocks the row sees.
    fn n_tokens(&self, blocks: &Range<usize>) -> usize {
        (blocks.end * BLOCK_TOKENS).min(self.n_seen) - (blocks.start * BLOCK_TOKENS).min(self.n_seen)
    }

    /// Offers the tokens of `blocks` to the best.
    ///
    /// # Safety
    /// Queries and weights are done; memory is not written in this stage.
    unsafe fn score(&self, blocks: Range<usize>, buffers: &mut Buffers) {
        let Buffers { tile, best, vectors } = buffers;
        let shape = kv(self.task).key;
        // SAFETY: the caller's promise.
        let [q, weights] = [0, 1].map(|i| unsafe { self.run.row(&self.task.ins[i], self.row) });
        let weights = weights.vector(0);
        let [key_dim, n_head, ..] = q.dims;
        tile.start(Dims { key: key_dim, value: 0 }, n_head, n_head);
        for head in 0..n_head {
            rotate(tile.set_query(head, q.vector(head), 1.0), shape.rotation);
        }
        for block in blocks {
            let first = block * BLOCK_TOKENS;
            // SAFETY: the caller's promise.
            let keys = unsafe { self.keys(block, BLOCK_TOKENS.min(self.n_seen - first), &shape) };
            let mut scores = [0.0; BLOCK_TOKENS];
            if self.run.kernels.is_scalar() {
                define(q, weights, keys, &shape, vectors, &mut scores[..keys.n]);
            } else {
                self.run.kernels.attention_scores(tile, keys);
                for (products, &weight) in tile.scores_mut().iter().zip(weights) {
                    add_head(products, weight, &mut scores);
                }
            }
            for (i, &score) in scores[..keys.n].iter().enumerate() {
                best.push(Scored { score, token: (first + i) as u32 });
            }
        }
    }

    /// The stored keys of the first `n` tokens of a block.
    ///
    /// # Safety
    /// Memory is not written in this stage.
    unsafe fn keys(&self, block: usize, n: usize, shape: &VectorShape) -> Stored<'_> {
        let slot = self.run.step.tables[self.view.table as usize + block];
        // SAFETY: the caller's promise.
        let bytes = unsafe { self.run.stored(self.choose.memory, slot, 0, n * shape.n_bytes) };
        Stored { dtype: shape.dtype, bytes, stride: shape.n_bytes, n }
    }

    /// Leaves the best of a part. The last part to come finds the best of all parts in `best`, and `true`.
    ///
    /// # Safety
    /// This part of unit `unit` belongs to the caller.
    unsafe fn hand_in(&self, best: &mut Best, unit: usize, part: usize, n_parts: usize) -> bool {
        let parts = self.task.parts.as_ref().expect("choices have a place for parts");
        let k = self.choose.k;
        let n_best = |part| self.n_tokens(&self.blocks(part, n_parts)).min(k);
        let place = |part: usize| (unit * n_parts + part) * 2 * k;
        // SAFETY: the caller's promise.
        let own = unsafe { self.run.part_mut(&parts.results, 0, place(part), 2 * n_best(part)) };
        for (out, found) in own.chunks_exact_mut(2).zip(best.finish()) {
            out.copy_from_slice(&[found.score, f32::from_bits(found.token)]);
        }
        if !parts.is_last(unit, n_parts) {
            return false;
        }
        best.start(k);
        for part in 0..n_parts {
            // SAFETY: all parts are done, and nobody else comes last.
            let found = unsafe { self.run.part_mut(&parts.results, 0, place(part), 2 * n_best(part)) };
            for found in found.chunks_exact(2) {
                best.push(Scored { score: found[0], token: found[1].to_bits() });
            }
        }
        true
    }

    /// Writes the tokens, and zeros behind them.
    ///
    /// # Safety
    /// The row of the result belongs to the caller.
    unsafe fn write(&self, tokens: impl Iterator<Item = u32>) {
        // SAFETY: the caller's promise.
        let out: &mut [u32] = bytemuck::cast_slice_mut(unsafe { self.run.row_mut(&self.task.out, self.row) });
        out.fill(0);
        out.iter_mut().zip(tokens).for_each(|(out, token)| *out = token);
    }
}

/// Scores by the definition: a head after the other, a key after the other.
fn define(
    q: Vectors<'_>,
    weights: &[f32],
    keys: Stored<'_>,
    shape: &VectorShape,
    vectors: &mut Vec<f32>,
    scores: &mut [f32],
) {
    let key_dim = q.dims[0];
    vectors.resize(2 * key_dim, 0.0);
    let (query, key) = vectors.split_at_mut(key_dim);
    let mut products = [0.0; BLOCK_TOKENS];
    for (head, &weight) in weights.iter().enumerate() {
        query.copy_from_slice(q.vector(head));
        rotate(query, shape.rotation);
        dot_keys(query, keys.bytes, shape, key, &mut products[..keys.n]);
        add_head(&products, weight, scores);
    }
}
