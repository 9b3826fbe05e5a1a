//! Choices of an indexer: chunks are rows, a few together where there are many; for long contexts of few rows also parts of
//! the keys, whose best the last one to finish puts together.
#![expect(unsafe_code, reason = "operands are parts of shared arenas and of memory")]

use std::ops::Range;

use backend::{BLOCK_TOKENS, KvView};
use tensor::{Choose, Op, Scores};

use super::attention::{MOST_PARTS, PART_KEYS, TILE_QUERIES, place_of, sequence_end};
use crate::executor::Run;
use crate::kernels::attention::{Dims, Stored, Tile};
use crate::memory::{KvShape, VectorShape};
use crate::ops::attention::{dot_keys, rotate};
use crate::ops::choose::{Choosing, Scored, add_head};
use crate::tasks::{SequenceTask, share};

/// A thread's buffers.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    tile: Tile,
    /// For each row one, or one for each head.
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

/// How a step's choices are cut into chunks: tiles of rows that go through the keys together, or parts of the keys of one.
#[derive(Clone, Copy, Debug)]
struct Cut {
    rows: usize,
    n_tiles: usize,
    n_parts: usize,
}

fn cut(task: &SequenceTask, run: &Run<'_>) -> Cut {
    let n_rows = run.n_rows(task.out.rows);
    if run.kernels.is_scalar() {
        return Cut { rows: 1, n_tiles: n_rows, n_parts: 1 };
    }
    let n_head = task.ins[0].dims[1];
    // Only of many rows, so that there are chunks for many threads.
    let rows = (n_rows / MOST_PARTS).clamp(1, (TILE_QUERIES / n_head).max(1));
    let n_tiles = n_rows.div_ceil(rows);
    let longest = kv(task).n_rows(run.longest(task.shape.group));
    let n_parts = (MOST_PARTS / n_tiles.max(1)).min(longest / PART_KEYS).max(1);
    Cut { rows, n_tiles, n_parts }
}

pub(crate) fn n_chunks(task: &SequenceTask, run: &Run<'_>) -> usize {
    let cut = cut(task, run);
    cut.n_tiles * cut.n_parts
}

/// # Safety
/// As for [`super::chunk`].
pub(crate) unsafe fn chunk(task: &SequenceTask, run: &Run<'_>, chunk: usize, buffers: &mut Buffers) {
    let Op::Choose(choose) = &task.op else { unreachable!("{:?} chooses nothing", task.op) };
    let cut = cut(task, run);
    let (unit, part) = (chunk / cut.n_parts, chunk % cut.n_parts);
    // Later rows see more: the long chunks first.
    let at = cut.n_tiles - 1 - unit;
    let (mut row, end) = (at * cut.rows, run.n_rows(task.out.rows).min((at + 1) * cut.rows));
    while row < end {
        let (view, position) = place_of(task.shape, run, row);
        let rows = row..end.min(sequence_end(run, row));
        row = rows.end;
        let work = Work { choose, task, run, rows, view, position };
        // SAFETY: the rows of the result belong to this chunk, or this part of it.
        unsafe { work.choose(unit, part, cut.n_parts, buffers) };
    }
}

fn kv(task: &SequenceTask) -> KvShape {
    task.shape.kv.expect("choices are made from keys")
}

/// Rows of one sequence, and what they see.
struct Work<'a> {
    choose: &'a Choose,
    task: &'a SequenceTask,
    run: &'a Run<'a>,
    rows: Range<usize>,
    view: KvView,
    /// Of the first row.
    position: usize,
}

impl Work<'_> {
    /// Choices of a row.
    fn n_choice(&self) -> usize {
        self.task.out.dims[1]
    }

    fn n_tokens(&self, row: usize) -> usize {
        self.position + 1 + row - self.rows.start
    }

    /// Keys that a row sees.
    fn n_seen(&self, row: usize) -> usize {
        kv(self.task).n_rows(self.n_tokens(row))
    }

    /// Keys of a block.
    fn n_keys(&self) -> usize {
        if self.choose.by == Scores::Sum { 1 } else { self.choose.block }
    }

    /// # Safety
    /// The rows of the result belong to the caller, or this part of the only one.
    unsafe fn choose(mut self, unit: usize, part: usize, n_parts: usize, buffers: &mut Buffers) {
        // The last token that sees no more blocks than are chosen.
        let n_tokens = (self.choose.k * self.n_keys() + 1) * kv(self.task).ratio - 1;
        let n_whole = n_tokens.saturating_sub(self.position).min(self.rows.len());
        if part == 0 {
            for row in self.rows.clone().take(n_whole) {
                // SAFETY: the caller's promise.
                unsafe { self.write_all(row) };
            }
        }
        (self.rows.start, self.position) = (self.rows.start + n_whole, self.position + n_whole);
        if self.rows.is_empty() {
            return;
        }
        let n = self.rows.len() * self.n_choice();
        if buffers.choices.len() < n {
            buffers.choices.resize_with(n, Choosing::default);
        }
        self.start(&mut buffers.choices[..n]);
        // SAFETY: the caller's promise; queries and weights are made in earlier stages.
        unsafe {
            self.score(self.part(part, n_parts), buffers);
            let choices = &mut buffers.choices[..n];
            if n_parts == 1 || self.hand_in(choices, unit, part, n_parts) {
                for (row, choices) in self.rows.clone().zip(choices.chunks_exact_mut(self.n_choice())) {
                    self.write(row, choices);
                }
            }
        }
    }

    /// The blocks of memory of a part. No block to choose lies in two parts.
    fn part(&self, part: usize, n_parts: usize) -> Range<usize> {
        let aligned = self.n_keys() / gcd(self.n_keys(), BLOCK_TOKENS);
        let n = self.n_seen(self.rows.end - 1).div_ceil(BLOCK_TOKENS);
        let units = share(n.div_ceil(aligned), n_parts, part);
        (units.start * aligned).min(n)..(units.end * aligned).min(n)
    }

    fn start(&self, choices: &mut [Choosing]) {
        choices.iter_mut().for_each(|choosing| choosing.start(self.choose.k));
    }

    /// Lets the choices see the tokens of `blocks` of memory.
    ///
    /// # Safety
    /// Queries and weights are done; memory is not written in this stage.
    unsafe fn score(&self, blocks: Range<usize>, buffers: &mut Buffers) {
        let Buffers { tile, choices, vectors } = buffers;
        let shape = kv(self.task).key;
        let [key_dim, n_head, ..] = self.task.ins[0].dims;
        // SAFETY: the caller's promise.
        let q = |row| unsafe { self.run.row(&self.task.ins[0], row) };
        let n = self.rows.len() * n_head;
        tile.start(Dims { key: key_dim, value: 0 }, n, n);
        for (i, row) in self.rows.clone().enumerate() {
            for head in 0..n_head {
                rotate(tile.set_query(i * n_head + head, q(row).vector(head), 1.0), shape.rotation);
            }
        }
        for block in blocks {
            // SAFETY: the caller's promise.
            let keys = unsafe { self.keys(block, &shape) };
            if self.run.kernels.is_scalar() {
                let all = self.rows.clone().flat_map(|row| (0..n_head).map(move |head| q(row).vector(head)));
                for (q, products) in all.zip(tile.scores_mut()) {
                    define(q, keys, &shape, vectors, products);
                }
            } else {
                self.run.kernels.attention_scores(tile, keys);
            }
            let choices = choices.chunks_exact_mut(self.n_choice());
            for ((row, products), choices) in
                self.rows.clone().zip(tile.scores_mut().chunks_exact(n_head)).zip(choices)
            {
                // SAFETY: the caller's promise.
                unsafe { self.take(row, products, keys.n, block * BLOCK_TOKENS, choices) };
            }
        }
    }

    /// Lets the choices of a row see its products with `n` keys, from key `first`.
    ///
    /// # Safety
    /// Weights are done.
    unsafe fn take(
        &self,
        row: usize,
        products: &[[f32; BLOCK_TOKENS]],
        n: usize,
        first: usize,
        choices: &mut [Choosing],
    ) {
        let n_seen = self.n_seen(row);
        let n = n_seen.saturating_sub(first).min(n);
        match self.choose.by {
            Scores::Max { n_local } => {
                for (products, choosing) in products.iter().zip(choices) {
                    self.see(n_seen, first, &products[..n], n_local, choosing);
                }
            }
            Scores::Sum => {
                // SAFETY: the caller's promise.
                let weights = self.task.ins.get(2).map(|w| unsafe { self.run.row(w, row) }.vector(0));
                let mut sums = [0.0; BLOCK_TOKENS];
                for (head, products) in products.iter().enumerate() {
                    add_head(products, weights.map_or(1.0, |w| w[head]), &mut sums);
                }
                for (block, &score) in (first..).zip(&sums[..n]) {
                    choices[0].best.push(Scored { score, block: block as u32 });
                }
            }
        }
    }

    /// Lets a head of a row that sees `n_seen` tokens see those from `first` with their scores.
    fn see(
        &self,
        n_seen: usize,
        mut first: usize,
        mut scores: &[f32],
        n_local: usize,
        choosing: &mut Choosing,
    ) {
        let len = self.choose.block;
        let n_far = n_seen.div_ceil(len).saturating_sub(n_local);
        while !scores.is_empty() {
            let block = first / len;
            let end = ((block + 1) * len).min(n_seen);
            let (of_block, rest) = scores.split_at(scores.len().min(end - first));
            choosing.see(if block < n_far { of_block } else { &[f32::INFINITY] });
            first += of_block.len();
            if first == end {
                choosing.end(block as u32);
            }
            scores = rest;
        }
    }

    /// The keys of a block of memory that any row sees.
    ///
    /// # Safety
    /// Memory is not written in this stage.
    unsafe fn keys(&self, block: usize, shape: &VectorShape) -> Stored<'_> {
        let n = (self.n_seen(self.rows.end - 1) - block * BLOCK_TOKENS).min(BLOCK_TOKENS);
        let slot = self.run.step.tables[self.view.table as usize + block];
        // SAFETY: the caller's promise.
        let bytes = unsafe { self.run.stored(self.choose.memory, slot, 0, n * shape.n_bytes) };
        Stored { dtype: shape.dtype, bytes, stride: shape.n_bytes, n }
    }

    /// Leaves the best of a part of the only row. The last part to come finds the best of all parts in `choices`, and `true`.
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
    unsafe fn write_all(&self, row: usize) {
        let n = self.n_seen(row).div_ceil(self.n_keys()) as u32;
        for choice in 0..self.n_choice() {
            // SAFETY: the caller's promise.
            unsafe { self.write_one(row, choice, 0..n) };
        }
    }

    /// Writes the numbers that were chosen.
    ///
    /// # Safety
    /// The row of the result belongs to the caller.
    unsafe fn write(&self, row: usize, choices: &mut [Choosing]) {
        for (choice, choosing) in choices.iter_mut().enumerate() {
            let blocks = choosing.best.finish().iter().map(|found| found.block);
            // SAFETY: the caller's promise.
            unsafe { self.write_one(row, choice, blocks) };
        }
    }

    /// Writes the numbers of one choice, and behind them that of what is behind whole blocks.
    ///
    /// # Safety
    /// The row of the result belongs to the caller.
    unsafe fn write_one(&self, row: usize, choice: usize, blocks: impl Iterator<Item = u32>) {
        let n = self.task.out.dims[0];
        let is_left = self.choose.by == Scores::Sum && !self.n_tokens(row).is_multiple_of(self.choose.block);
        let rest = is_left.then_some(self.n_seen(row) as u32);
        // SAFETY: the caller's promise.
        let out = unsafe { self.run.part_mut(&self.task.out, row, choice * n, n) };
        let out: &mut [u32] = bytemuck::cast_slice_mut(out);
        out.fill(0);
        out.iter_mut().zip(blocks.chain(rest)).for_each(|(out, block)| *out = block);
    }
}

/// Products of a query with keys by the definition, a key after the other.
fn define(q: &[f32], keys: Stored<'_>, shape: &VectorShape, vectors: &mut Vec<f32>, products: &mut [f32]) {
    vectors.resize(2 * q.len(), 0.0);
    let (query, key) = vectors.split_at_mut(q.len());
    query.copy_from_slice(q);
    rotate(query, shape.rotation);
    dot_keys(query, keys.bytes, shape, key, &mut products[..keys.n]);
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}
