//! Choices of an indexer: chunks are rows, and for long contexts of few rows also parts of the keys, whose best the last
//! one to finish puts together.
#![expect(unsafe_code, reason = "operands are parts of shared arenas and of memory")]

use std::ops::Range;

use backend::{BLOCK_TOKENS, KvView};
use tensor::{Choose, Op, Scores};

use super::attention::{MOST_PARTS, PART_KEYS, place_of};
use crate::executor::Run;
use crate::kernels::attention::{Dims, Stored, Tile};
use crate::memory::VectorShape;
use crate::ops::attention::{dot_keys, rotate};
use crate::ops::choose::{Choosing, Scored, add_head};
use crate::tasks::{SequenceTask, share};

/// A thread's buffers.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    tile: Tile,
    /// One, or one for each head.
    choices: Vec<Choosing>,
    /// Of the definition: a query and a key.
    vectors: Vec<f32>,
}

/// Elements that a part leaves of one choice: how many blocks, and for each its score and its number.
const fn part_len(k: usize) -> usize {
    1 + 2 * k
}

/// Elements of the results of all parts, of `n_choice` choices each.
pub(crate) fn results_len(k: usize, n_choice: usize) -> usize {
    MOST_PARTS * n_choice * part_len(k)
}

/// Into how many parts the keys of each row are cut.
fn n_parts(task: &SequenceTask, run: &Run<'_>) -> usize {
    if run.kernels.is_scalar() {
        return 1;
    }
    let longest = run.longest(task.shape.group);
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
    let work = Work { choose, task, run, row, view, n_seen: position + 1 };
    if buffers.choices.len() < work.n_choice() {
        buffers.choices.resize_with(work.n_choice(), Choosing::default);
    }
    // SAFETY: the row of the result belongs to this chunk, or this part of it.
    unsafe {
        if work.n_seen <= choose.chosen().whole {
            if part == 0 {
                work.write_all();
            }
            return;
        }
        work.start(&mut buffers.choices);
        work.score(work.part(part, n_parts), buffers);
        let choices = &mut buffers.choices[..work.n_choice()];
        if n_parts == 1 || work.hand_in(choices, unit, part, n_parts) {
            work.write(choices);
        }
    }
}

/// One row, and the tokens it sees.
struct Work<'a> {
    choose: &'a Choose,
    task: &'a SequenceTask,
    run: &'a Run<'a>,
    row: usize,
    view: KvView,
    n_seen: usize,
}

impl Work<'_> {
    fn n_choice(&self) -> usize {
        self.task.out.dims[1]
    }

    /// The blocks of memory of a part. No block to choose lies in two parts.
    fn part(&self, part: usize, n_parts: usize) -> Range<usize> {
        let aligned = self.choose.block / gcd(self.choose.block, BLOCK_TOKENS);
        let n = self.n_seen.div_ceil(BLOCK_TOKENS);
        let units = share(n.div_ceil(aligned), n_parts, part);
        (units.start * aligned).min(n)..(units.end * aligned).min(n)
    }

    fn start(&self, choices: &mut [Choosing]) {
        for choosing in &mut choices[..self.n_choice()] {
            choosing.start(self.choose.k);
        }
    }

    /// Lets the choices see the tokens of `blocks` of memory.
    ///
    /// # Safety
    /// Queries and weights are done; memory is not written in this stage.
    unsafe fn score(&self, blocks: Range<usize>, buffers: &mut Buffers) {
        let Buffers { tile, choices, vectors } = buffers;
        let shape = self.task.shape.kv.expect("choices are made from keys").key;
        // SAFETY: the caller's promise.
        let q = unsafe { self.run.row(&self.task.ins[0], self.row) };
        // SAFETY: the caller's promise.
        let weights = self.task.ins.get(2).map(|w| unsafe { self.run.row(w, self.row) }.vector(0));
        let [key_dim, n_head, ..] = q.dims;
        tile.start(Dims { key: key_dim, value: 0 }, n_head, n_head);
        for head in 0..n_head {
            rotate(tile.set_query(head, q.vector(head), 1.0), shape.rotation);
        }
        for block in blocks {
            // SAFETY: the caller's promise.
            let Some((keys, first)) = (unsafe { self.keys(block, &shape) }) else { continue };
            if !self.run.kernels.is_scalar() {
                self.run.kernels.attention_scores(tile, keys);
            }
            let mut sums = [0.0; BLOCK_TOKENS];
            for head in 0..n_head {
                let products = &mut tile.scores_mut()[head];
                if self.run.kernels.is_scalar() {
                    define(q.vector(head), keys, &shape, vectors, products);
                }
                match self.choose.by {
                    Scores::Sum => add_head(products, weights.map_or(1.0, |w| w[head]), &mut sums),
                    Scores::Max { n_local } => {
                        self.see(first, &products[..keys.n], n_local, &mut choices[head]);
                    }
                }
            }
            if self.choose.by == Scores::Sum {
                // Each key is the only one of its block.
                for (block, &score) in (first / self.choose.block..).zip(&sums[..keys.n]) {
                    choices[0].best.push(Scored { score, block: block as u32 });
                }
            }
        }
    }

    /// Lets a head see the tokens from `first` with their scores.
    fn see(&self, mut first: usize, mut scores: &[f32], n_local: usize, choosing: &mut Choosing) {
        let len = self.choose.block;
        let n_far = self.n_seen.div_ceil(len).saturating_sub(n_local);
        while !scores.is_empty() {
            let block = first / len;
            let end = ((block + 1) * len).min(self.n_seen);
            let (of_block, rest) = scores.split_at(scores.len().min(end - first));
            choosing.see(if block < n_far { of_block } else { &[f32::INFINITY] });
            first += of_block.len();
            if first == end {
                choosing.end(block as u32);
            }
            scores = rest;
        }
    }

    /// The keys that count of a block of memory, and the token of the first: all that are seen, or the last ones of blocks.
    ///
    /// # Safety
    /// Memory is not written in this stage.
    unsafe fn keys(&self, block: usize, shape: &VectorShape) -> Option<(Stored<'_>, usize)> {
        let step = if self.choose.by == Scores::Sum { self.choose.block } else { 1 };
        let (start, end) = (block * BLOCK_TOKENS, self.n_seen.min((block + 1) * BLOCK_TOKENS));
        let first = (start + 1).next_multiple_of(step) - 1;
        if first >= end {
            return None;
        }
        let n = (end - first).div_ceil(step);
        let slot = self.run.step.tables[self.view.table as usize + block];
        let (at, stride) = ((first - start) * shape.n_bytes, step * shape.n_bytes);
        let n_bytes = (n - 1) * stride + shape.n_bytes;
        // SAFETY: the caller's promise.
        let bytes = unsafe { self.run.stored(self.choose.memory, slot, at, n_bytes) };
        Some((Stored { dtype: shape.dtype, bytes, stride, n }, first))
    }

    /// Leaves the best of a part. The last part to come finds the best of all parts in `choices`, and `true`.
    ///
    /// # Safety
    /// This part of unit `unit` belongs to the caller.
    unsafe fn hand_in(&self, choices: &mut [Choosing], unit: usize, part: usize, n_parts: usize) -> bool {
        let parts = self.task.parts.as_ref().expect("choices have a place for parts");
        let len = part_len(self.choose.k);
        let n = choices.len() * len;
        // SAFETY: the caller's promise, and later that all parts are done.
        let results = |part| unsafe { self.run.part_mut(&parts.results, 0, (unit * n_parts + part) * n, n) };
        for (out, choosing) in results(part).chunks_exact_mut(len).zip(choices.iter_mut()) {
            let found = choosing.best.finish();
            out[0] = f32::from_bits(found.len() as u32);
            for (out, found) in out[1..].chunks_exact_mut(2).zip(found) {
                out.copy_from_slice(&[found.score, f32::from_bits(found.block)]);
            }
        }
        if !parts.is_last(unit, n_parts) {
            return false;
        }
        self.start(choices);
        for part in 0..n_parts {
            for (result, choosing) in results(part).chunks_exact(len).zip(choices.iter_mut()) {
                for found in result[1..].chunks_exact(2).take(result[0].to_bits() as usize) {
                    choosing.best.push(Scored { score: found[0], block: found[1].to_bits() });
                }
            }
        }
        true
    }

    /// Writes the numbers of all blocks there are, where they are no more than would be chosen.
    ///
    /// # Safety
    /// The row of the result belongs to the caller.
    unsafe fn write_all(&self) {
        let n = self.n_seen.div_ceil(self.choose.block) as u32;
        // SAFETY: the caller's promise.
        let out: &mut [u32] = bytemuck::cast_slice_mut(unsafe { self.run.row_mut(&self.task.out, self.row) });
        for out in out.chunks_exact_mut(self.task.out.dims[0]) {
            out.fill(0);
            out.iter_mut().zip(0..n).for_each(|(out, block)| *out = block);
        }
    }

    /// Writes the numbers that were chosen, and behind them that of what is behind whole blocks.
    ///
    /// # Safety
    /// The row of the result belongs to the caller.
    unsafe fn write(&self, choices: &mut [Choosing]) {
        let len = self.choose.block;
        let rest = self.choose.by == Scores::Sum && !self.n_seen.is_multiple_of(len);
        let rest = rest.then_some((self.n_seen / len) as u32);
        // SAFETY: the caller's promise.
        let out: &mut [u32] = bytemuck::cast_slice_mut(unsafe { self.run.row_mut(&self.task.out, self.row) });
        for (out, choosing) in out.chunks_exact_mut(self.task.out.dims[0]).zip(choices) {
            out.fill(0);
            let blocks = choosing.best.finish().iter().map(|found| found.block).chain(rest);
            out.iter_mut().zip(blocks).for_each(|(out, block)| *out = block);
        }
    }
}

/// Products of a query with keys by the definition, a key after the other.
fn define(q: &[f32], keys: Stored<'_>, shape: &VectorShape, vectors: &mut Vec<f32>, products: &mut [f32]) {
    vectors.resize(2 * q.len(), 0.0);
    let (query, key) = vectors.split_at_mut(q.len());
    query.copy_from_slice(q);
    rotate(query, shape.rotation);
    dot_keys(query, keys.bytes, keys.stride, shape, key, &mut products[..keys.n]);
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}
