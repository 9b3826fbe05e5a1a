//! Attention: chunks are tiles of query rows of one key-value head, and for long contexts of few rows also parts of
//! the keys, whose results the last one to finish puts together.
//!
//! How a step is cut depends on the step alone, never on the number of threads, and so do its results.
#![expect(unsafe_code, reason = "operands are parts of shared arenas and of memory")]

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use backend::{BLOCK_TOKENS, KvView};
use tensor::{Attention, Chosen, Op};

use super::chosen::ChosenBlocks;
use crate::executor::Run;
use crate::kernels::attention::{Dims, KEYS, Stored, Tile};
use crate::memory::{KvShape, SlotShape};
use crate::ops::attention::{Running, Scoring, add_values, alibi_slope, dot_keys, rotate, visible};
use crate::tasks::{SequenceTask, share};
use crate::value::{Value, as_i32};

/// Queries (rows times heads that share keys) of a tile.
pub(super) const TILE_QUERIES: usize = 48;
/// Into how many chunks at most the keys of all rows and heads are cut together.
pub(super) const MOST_PARTS: usize = 64;
/// Keys that are worth a part of their own.
pub(super) const PART_KEYS: usize = 256;

const _: () = assert!(KEYS == BLOCK_TOKENS, "a run of keys is a block of memory");

/// A thread's buffers.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    tile: Tile,
    copies: Copies,
    /// Of the definition: a key or value, and accumulated values.
    values: Vec<f32>,
}

/// Stored keys and values of chosen tokens, brought together.
#[derive(Debug, Default)]
struct Copies {
    keys: Vec<f32>,
    values: Vec<f32>,
}

/// Where the results of parts of the keys meet.
#[derive(Debug)]
pub(crate) struct Parts {
    /// Of attention, for each query of each part: greatest score, sum of weights, values.
    pub(crate) results: Value,
    /// For each tile and key-value head: how many parts are done.
    done: [AtomicUsize; MOST_PARTS],
}

impl Parts {
    pub(crate) fn new(results: Value) -> Self {
        Self { results, done: [const { AtomicUsize::new(0) }; MOST_PARTS] }
    }

    /// Elements of the results for groups of `group` heads with values of `value_dim`.
    pub(crate) fn results_len(group: usize, value_dim: usize) -> usize {
        MOST_PARTS * TILE_QUERIES.max(group) * (value_dim + 2)
    }

    /// Counts a part as done; whether it was the last of its unit.
    pub(super) fn is_last(&self, unit: usize, n_parts: usize) -> bool {
        // Releases what was written, and takes in what the other parts wrote.
        let is_last = self.done[unit].fetch_add(1, Ordering::AcqRel) + 1 == n_parts;
        if is_last {
            self.done[unit].store(0, Ordering::Relaxed);
        }
        is_last
    }
}

/// How a step's attention is cut into chunks.
#[derive(Clone, Copy, Debug)]
struct Cut {
    rows: usize,
    n_tiles: usize,
    n_head_kv: usize,
    n_parts: usize,
}

fn cut(task: &SequenceTask, run: &Run<'_>) -> Cut {
    let kv = task.shape.kv.expect("attention reads key-value memory");
    let n_rows = run.n_rows(task.out.rows);
    let n_head_kv = kv.n_head_kv;
    if run.kernels.is_scalar() {
        return Cut { rows: 1, n_tiles: n_rows, n_head_kv, n_parts: 1 };
    }
    let n_sequences = run.step.sequences.len().max(1);
    let group = task.out.dims[1] / n_head_kv;
    let longest = kv.n_rows(run.longest(task.shape.group));
    let n_chosen = choice(task).map(|chosen| chosen.whole).filter(|n| *n < longest);
    // Where tokens are chosen, no two rows see the same.
    let most_rows = if n_chosen.is_some() { 1 } else { (TILE_QUERIES / group).max(1) };
    let rows = (n_rows / n_sequences).clamp(1, most_rows);
    let n_tiles = n_rows.div_ceil(rows);
    let units = n_tiles * n_head_kv;
    // A tile with rows of several sequences does not see the same keys throughout.
    let n_parts = if units > 0 && (rows == 1 || n_sequences == 1) {
        (MOST_PARTS / units).min(n_chosen.unwrap_or(longest) / PART_KEYS).max(1)
    } else {
        1
    };
    Cut { rows, n_tiles, n_head_kv, n_parts }
}

fn choice(task: &SequenceTask) -> Option<Chosen> {
    let Op::Attention(attention) = &task.op else { return None };
    attention.chosen
}

pub(crate) fn n_chunks(task: &SequenceTask, run: &Run<'_>) -> usize {
    let cut = cut(task, run);
    cut.n_tiles * cut.n_head_kv * cut.n_parts
}

/// # Safety
/// As for [`super::chunk`].
pub(crate) unsafe fn chunk(task: &SequenceTask, run: &Run<'_>, chunk: usize, buffers: &mut Buffers) {
    let Buffers { tile, copies, values } = buffers;
    let Op::Attention(attention) = &task.op else { unreachable!("{:?} is not attention", task.op) };
    let cut = cut(task, run);
    let (unit, part) = (chunk / cut.n_parts, chunk % cut.n_parts);
    // Later rows see more: the long chunks first.
    let at = cut.n_tiles - 1 - unit / cut.n_head_kv;
    let head_kv = unit % cut.n_head_kv;
    let (start, end) = (at * cut.rows, run.n_rows(task.out.rows).min((at + 1) * cut.rows));
    let mut row = start;
    while row < end {
        let rows = row..end.min(sequence_end(run, row));
        let work = Work::new(attention, task, run, rows.clone(), head_kv);
        // SAFETY: rows and head of the result belong to this chunk, or part of them to this part.
        unsafe {
            if run.kernels.is_scalar() {
                values.clear();
                values.resize(2 * task.ins[0].dims[0] + 2 * work.value_dim(), 0.0);
                work.define(values, copies);
            } else if cut.n_parts > 1 {
                let share = share(work.n_blocks(), cut.n_parts, part);
                work.gather(tile, copies, share, part == 0);
                work.hand_in(tile, unit, part, cut.n_parts);
            } else {
                work.gather(tile, copies, 0..work.n_blocks(), true);
                work.finish(tile);
            }
        }
        row = rows.end;
    }
}

/// The row after the last one of `row`'s sequence.
pub(super) fn sequence_end(run: &Run<'_>, row: usize) -> usize {
    let sequences = run.step.sequences;
    let i = sequences.partition_point(|s| (s.first_row + s.n_rows) as usize <= row);
    (sequences[i].first_row + sequences[i].n_rows) as usize
}

/// Rows of one sequence, and the heads that share one key-value head.
struct Work<'a> {
    attention: &'a Attention,
    task: &'a SequenceTask,
    run: &'a Run<'a>,
    kv: KvShape,
    rows: Range<usize>,
    head_kv: usize,
    group: usize,
    view: KvView,
    /// Position of the first row.
    position: usize,
    /// 1 if the rows are appended, 0 if all stand at the start of a foreign memory.
    step: usize,
    /// What the only row sees, if that was chosen: then these tokens are numbered anew, from 0.
    chosen: Option<ChosenBlocks<'a>>,
}

impl<'a> Work<'a> {
    fn new(
        attention: &'a Attention,
        task: &'a SequenceTask,
        run: &'a Run<'a>,
        rows: Range<usize>,
        head_kv: usize,
    ) -> Self {
        let kv = task.shape.kv.expect("attention reads key-value memory");
        let (view, position) = place_of(task.shape, run, rows.start);
        let step = usize::from(view.n_append > 0);
        let group = task.out.dims[1] / kv.n_head_kv;
        let n_seen = kv.n_rows(position + rows.len());
        let chosen = choice(task).filter(|chosen| chosen.whole < n_seen).map(|chosen| {
            let value = task.ins.last().expect("the choice is an input");
            // SAFETY: choices are made in an earlier stage.
            let numbers = unsafe { run.row(value, rows.start) }.at([head_kv, 0, 0]);
            ChosenBlocks::new(as_i32(numbers), chosen.block, n_seen)
        });
        Self { attention, task, run, kv, rows, head_kv, group, view, position, step, chosen }
    }

    /// Row and head of query `i` of the tile.
    fn place(&self, i: usize) -> (usize, usize) {
        (self.rows.start + i / self.group, self.head_kv * self.group + i % self.group)
    }

    fn value_dim(&self) -> usize {
        self.task.out.dims[0] - usize::from(self.attention.log_sum)
    }

    /// What row `i` of the work sees of what is stored.
    fn seen(&self, i: usize) -> Range<usize> {
        match self.chosen {
            Some(chosen) => 0..chosen.n,
            None => {
                let tokens = visible(self.attention.mask, self.position + i * self.step, self.n_tokens());
                tokens.start.div_ceil(self.kv.ratio)..self.kv.n_rows(tokens.end)
            }
        }
    }

    fn n_tokens(&self) -> usize {
        (self.view.n_past + self.view.n_append) as usize
    }

    /// How much is stored.
    fn n_total(&self) -> usize {
        self.chosen.map_or_else(|| self.kv.n_rows(self.n_tokens()), |chosen| chosen.n)
    }

    /// The blocks that any of the rows sees something of.
    fn blocks(&self) -> Range<usize> {
        let (first, last) = (self.seen(0), self.seen(self.rows.len() - 1));
        let (start, end) = (first.start.min(last.start), first.end.max(last.end));
        start / BLOCK_TOKENS..end.div_ceil(BLOCK_TOKENS).max(start / BLOCK_TOKENS)
    }

    fn n_blocks(&self) -> usize {
        self.blocks().len()
    }

    /// Small weights after the query and the memory: sinks and relative bias.
    fn small(&self, i: usize) -> Option<&'a [f32]> {
        // SAFETY: small weights are never written.
        self.task.ins.get(2 + i).map(|v| unsafe { self.run.row(v, 0) }.data)
    }

    fn sinks(&self) -> Option<&'a [f32]> {
        if self.attention.sinks { self.small(0) } else { None }
    }

    /// What happens to the scores of a row and head.
    fn scoring(&self, i: usize, head: usize) -> Scoring<'a> {
        let n_head = self.task.out.dims[1];
        let slope = self.attention.alibi_max_bias.map_or(0.0, |max| alibi_slope(head, n_head, max));
        let table = |_| self.small(usize::from(self.attention.sinks));
        let relative = self.attention.relative_bias.and_then(table).map(|table| (table, n_head, head));
        Scoring { attention: self.attention, position: self.position + i * self.step, slope, relative }
    }

    /// Stored keys and values of the first `n` tokens of block `at` of those there are.
    ///
    /// # Safety
    /// Memory is not written in this stage.
    unsafe fn stored<'b>(&self, at: usize, n: usize, copies: &'b mut Copies) -> [Stored<'b>; 2]
    where
        'a: 'b,
    {
        let KvShape { key, value, value_in_key, .. } = self.kv;
        let value_stride = if value_in_key { key.n_bytes } else { value.n_bytes };
        let first = at * BLOCK_TOKENS;
        // SAFETY: the caller's promise.
        let [keys, values] = unsafe {
            match self.chosen {
                None => self.bytes(first, n, [key.n_bytes, value_stride]),
                // They lie together already.
                Some(chosen) if chosen.len.is_multiple_of(BLOCK_TOKENS) => {
                    self.bytes(chosen.place(first), n, [key.n_bytes, value_stride])
                }
                Some(chosen) => {
                    let tokens = (first..first + n).map(|i| chosen.place(i));
                    self.copy(tokens, [key.n_bytes, value_stride], copies);
                    let values = if value_in_key { &copies.keys } else { &copies.values };
                    [bytemuck::cast_slice(&copies.keys), bytemuck::cast_slice(values)]
                }
            }
        };
        [
            Stored { dtype: key.dtype, bytes: keys, stride: key.n_bytes, n },
            Stored { dtype: value.dtype, bytes: values, stride: value_stride, n },
        ]
    }

    /// Bytes of the keys and values of `n` tokens of one block, from `first`.
    ///
    /// # Safety
    /// Memory is not written in this stage.
    unsafe fn bytes(&self, first: usize, n: usize, strides: [usize; 2]) -> [&'a [u8]; 2] {
        let block = self.run.step.tables[self.view.table as usize + first / BLOCK_TOKENS];
        let within = first % BLOCK_TOKENS;
        let starts = [self.kv.key_at(self.head_kv, within), self.kv.value_at(self.head_kv, within)];
        let bytes = |i: usize| {
            // SAFETY: the caller's promise.
            unsafe { self.run.stored(self.attention.memory, block, starts[i], n * strides[i]) }
        };
        [bytes(0), bytes(1)]
    }

    /// Brings keys, and values that are not in them, of single tokens together.
    ///
    /// # Safety
    /// Memory is not written in this stage.
    unsafe fn copy(&self, tokens: impl Iterator<Item = usize>, strides: [usize; 2], copies: &mut Copies) {
        copies.keys.clear();
        copies.values.clear();
        for token in tokens {
            // SAFETY: the caller's promise.
            let [key, value] = unsafe { self.bytes(token, 1, strides) };
            copies.keys.extend_from_slice(bytemuck::cast_slice(key));
            if !self.kv.value_in_key {
                copies.values.extend_from_slice(bytemuck::cast_slice(value));
            }
        }
    }

    /// Carries all queries past the blocks `part` of those they see.
    ///
    /// # Safety
    /// Queries are done; memory is not written in this stage.
    unsafe fn gather(&self, tile: &mut Tile, copies: &mut Copies, part: Range<usize>, is_first: bool) {
        let n = self.rows.len() * self.group;
        let dims = Dims { key: self.task.ins[0].dims[0], value: self.value_dim() };
        tile.start(dims, n, TILE_QUERIES.max(self.group));
        for (i, row) in self.rows.clone().enumerate() {
            // SAFETY: the caller's promise.
            let q = unsafe { self.run.row(&self.task.ins[0], row) };
            for g in 0..self.group {
                let head = self.head_kv * self.group + g;
                let query = tile.set_query(i * self.group + g, q.vector(head), self.attention.scale);
                rotate(query, self.kv.key.rotation);
                if let Some(sinks) = self.sinks().filter(|_| is_first) {
                    tile.spend(i * self.group + g, sinks[head]);
                }
            }
        }
        let n_total = self.n_total();
        let blocks = self.blocks();
        for at in blocks.start + part.start..blocks.start + part.end {
            let first = at * BLOCK_TOKENS;
            // SAFETY: the caller's promise.
            let [keys, values] = unsafe { self.stored(at, BLOCK_TOKENS.min(n_total - first), copies) };
            self.run.kernels.attention_scores(tile, keys);
            self.judge(tile, first);
            self.run.kernels.attention_take(tile, values);
        }
    }

    /// Biases the scores of the tokens from `first`, and hides what a row does not see.
    fn judge(&self, tile: &mut Tile, first: usize) {
        if let Some(c) = self.attention.softcap {
            self.run.kernels.attention_softcap(tile, c);
        }
        let has_bias = self.attention.alibi_max_bias.is_some() || self.attention.relative_bias.is_some();
        for (i, scores) in tile.scores_mut().chunks_exact_mut(self.group).enumerate() {
            if has_bias {
                for (g, scores) in scores.iter_mut().enumerate() {
                    self.scoring(i, self.head_kv * self.group + g).bias(first, scores);
                }
            }
            let seen = self.seen(i);
            let (start, end) = (seen.start.saturating_sub(first), seen.end.saturating_sub(first));
            if start > 0 || end < BLOCK_TOKENS {
                for scores in scores {
                    scores[..start.min(BLOCK_TOKENS)].fill(f32::NEG_INFINITY);
                    scores[end.min(BLOCK_TOKENS)..].fill(f32::NEG_INFINITY);
                }
            }
        }
    }

    /// Writes the results of all queries.
    ///
    /// # Safety
    /// Rows and heads of the result belong to the caller.
    unsafe fn finish(&self, tile: &Tile) {
        for i in 0..tile.n() {
            let (row, head) = self.place(i);
            // SAFETY: the caller's promise.
            let out = unsafe { self.result(row, head, tile.totals(i)) };
            let (_, sum) = tile.totals(i);
            let scale = if sum == 0.0 { 0.0 } else { 1.0 / sum };
            for (out, x) in out.iter_mut().zip(tile.values(i)) {
                *out = x * scale;
            }
            rotate(out, self.kv.value.rotation);
        }
    }

    /// Where the result of a row and head goes, behind which the logarithm of the sum of all `exp(score)` is written if
    /// the op asks for it. `totals` are the greatest score and the sum of weights relative to its.
    ///
    /// # Safety
    /// Row and head of the result belong to the caller.
    unsafe fn result(&self, row: usize, head: usize, (max, sum): (f32, f32)) -> &'a mut [f32] {
        let len = self.task.out.dims[0];
        // SAFETY: the caller's promise.
        let out = unsafe { self.run.part_mut(&self.task.out, row, head * len, len) };
        let (values, log_sum) = out.split_at_mut(self.value_dim());
        log_sum.fill(max + sum.ln());
        values
    }

    /// Leaves what a part of the keys gave; the last part of a row and head to come writes the result.
    ///
    /// # Safety
    /// This part of unit `unit` belongs to the caller, and with the others' the rows and heads of the result.
    unsafe fn hand_in(&self, tile: &Tile, unit: usize, part: usize, n_parts: usize) {
        let parts = self.task.parts.as_ref().expect("attention has a place for parts");
        let (dim, n) = (self.value_dim(), tile.n());
        let (len, most) = (dim + 2, TILE_QUERIES.max(self.group));
        let start = |part: usize| (unit * n_parts + part) * most * len;
        // SAFETY: the caller's promise.
        let own = unsafe { self.run.part_mut(&parts.results, 0, start(part), n * len) };
        for (i, out) in own.chunks_exact_mut(len).enumerate() {
            (out[0], out[1]) = tile.totals(i);
            out[2..].copy_from_slice(tile.values(i));
        }
        if !parts.is_last(unit, n_parts) {
            return;
        }
        // SAFETY: all parts are done, and nobody else comes last.
        let all = unsafe { self.run.part_mut(&parts.results, 0, start(0), n_parts * most * len) };
        for i in 0..n {
            let (row, head) = self.place(i);
            let parts = all.chunks_exact(len).skip(i).step_by(most);
            let totals = totals(parts.clone());
            // SAFETY: the caller's promise.
            let out = unsafe { self.result(row, head, totals) };
            merge(parts, totals, out);
            rotate(out, self.kv.value.rotation);
        }
    }

    /// One row by the definition: a head after the other, a key after the other.
    ///
    /// # Safety
    /// The heads of the row belong to the caller; queries are done; memory is not written in this stage.
    unsafe fn define(&self, buffers: &mut [f32], copies: &mut Copies) {
        let row = self.rows.start;
        let (dim, seen) = (self.value_dim(), self.seen(0));
        let (acc, buffer) = buffers.split_at_mut(dim);
        let (query, buffer) = buffer.split_at_mut(self.task.ins[0].dims[0]);
        // SAFETY: the caller's promise.
        let q = unsafe { self.run.row(&self.task.ins[0], row) };
        for g in 0..self.group {
            acc.fill(0.0);
            let head = self.head_kv * self.group + g;
            query.copy_from_slice(q.vector(head));
            rotate(query, self.kv.key.rotation);
            let mut running = Running::new(self.sinks().map(|s| s[head]));
            let scoring = self.scoring(0, head);
            let mut scores = [0.0; BLOCK_TOKENS];
            let mut first = seen.start;
            while first < seen.end {
                let within = first % BLOCK_TOKENS;
                let n = (BLOCK_TOKENS - within).min(seen.end - first);
                // SAFETY: the caller's promise.
                let [keys, stored] = unsafe { self.stored(first / BLOCK_TOKENS, within + n, copies) };
                let scores = &mut scores[..n];
                dot_keys(query, &keys.bytes[within * keys.stride..], &self.kv.key, buffer, scores);
                scoring.apply(first, scores);
                let rescale = running.update(scores);
                acc.iter_mut().for_each(|a| *a *= rescale);
                let stored_values = &stored.bytes[within * stored.stride..];
                add_values(scores, stored_values, stored.stride, &self.kv.value, buffer, acc);
                first += n;
            }
            let scale = running.scale();
            // SAFETY: the caller's promise.
            let out = unsafe { self.result(row, head, running.totals()) };
            for (out, acc) in out.iter_mut().zip(&*acc) {
                *out = *acc * scale;
            }
            rotate(out, self.kv.value.rotation);
        }
    }
}

/// The greatest score of parts of one softmax, and the sum of weights relative to its. Each part is its greatest score,
/// its sum of weights, and its weighted values.
fn totals<'a>(parts: impl Iterator<Item = &'a [f32]> + Clone) -> (f32, f32) {
    let max = parts.clone().map(|p| p[0]).fold(f32::NEG_INFINITY, f32::max);
    (max, parts.map(|part| weight(part, max) * part[1]).sum())
}

/// What a part counts where `max` is the greatest score of all.
fn weight(part: &[f32], max: f32) -> f32 {
    if part[0] == f32::NEG_INFINITY { 0.0 } else { (part[0] - max).exp() }
}

/// Puts parts of one softmax together.
fn merge<'a>(parts: impl Iterator<Item = &'a [f32]>, (max, total): (f32, f32), out: &mut [f32]) {
    out.fill(0.0);
    for part in parts {
        let weight = weight(part, max);
        for (out, x) in out.iter_mut().zip(&part[2..]) {
            *out += weight * x;
        }
    }
    let scale = if total == 0.0 { 0.0 } else { 1.0 / total };
    out.iter_mut().for_each(|x| *x *= scale);
}

/// Where a row's sequence lies in memory, and the row's place in it.
pub(super) fn place_of(shape: SlotShape, run: &Run<'_>, row: usize) -> (KvView, usize) {
    let sequences = run.step.sequences;
    let i = sequences.partition_point(|s| (s.first_row + s.n_rows) as usize <= row);
    let view = run.step.view(i, shape.group);
    let offset = row - sequences[i].first_row as usize;
    (view, if view.n_append == 0 { 0 } else { view.n_past as usize + offset })
}
