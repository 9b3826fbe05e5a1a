//! Attention and recurrences: chunks are heads or channels of one sequence.
#![expect(unsafe_code, reason = "operands are parts of shared arenas and of memory")]

use std::ops::Range;

use backend::{BLOCK_TOKENS, KvView, SequenceRows};
use tensor::{Attention, Conv1d, MemoryId, Op, SsmScan};

use crate::executor::Run;
use crate::memory::{KvShape, SlotShape};
use crate::ops::attention::{Running, Scoring, add_values, alibi_slope, dot_keys, visible};
use crate::ops::recurrent::{StateRows, conv1d, ssm_step, wkv7_step};
use crate::tasks::{SequenceTask, share};

/// Channels of a convolution or shift that are worth a chunk.
const CHUNK_CHANNELS: usize = 1024;

/// How many independent parts each sequence (for attention: each row) splits into.
fn parts(task: &SequenceTask) -> usize {
    match &task.op {
        Op::Attention(_) => task.shape.kv.map_or(1, |kv| kv.n_head_kv),
        Op::Conv1d(_) | Op::TokenShift { .. } => task.out.row_len().div_ceil(CHUNK_CHANNELS),
        Op::SsmScan(_) | Op::Wkv7 { .. } => task.out.dims[1],
        _ => 1,
    }
}

pub(crate) fn n_chunks(task: &SequenceTask, run: &Run<'_>) -> usize {
    let units = match &task.op {
        Op::Attention(_) => run.n_rows(task.out.rows),
        _ => run.step.sequences.len(),
    };
    units * parts(task)
}

/// # Safety
/// As for [`super::chunk`].
pub(crate) unsafe fn chunk(task: &SequenceTask, run: &Run<'_>, chunk: usize, values: &mut Vec<f32>) {
    let (unit, part) = (chunk / parts(task), chunk % parts(task));
    // SAFETY: the parts of a sequence or row are disjoint in results and in memory.
    unsafe {
        if let Op::Attention(attention) = &task.op {
            return attend(attention, task, run, unit, part, values);
        }
        let sequence = run.step.sequences[unit];
        match &task.op {
            Op::Conv1d(conv) => convolve(conv, task, run, sequence, part),
            Op::SsmScan(scan) => ssm_scan(scan, task, run, sequence, part),
            Op::TokenShift { memory } => token_shift(*memory, task, run, sequence, part),
            Op::Wkv7 { memory } => wkv7(*memory, task, run, sequence, part),
            op => unreachable!("{op:?} is not an operation along sequences"),
        }
    }
}

/// Row `row`'s query heads that share key-value head `head_kv`.
///
/// # Safety
/// These heads of the result belong to the caller; memory is not written in this stage.
unsafe fn attend(
    attention: &Attention,
    task: &SequenceTask,
    run: &Run<'_>,
    row: usize,
    head_kv: usize,
    values: &mut Vec<f32>,
) {
    let kv = task.shape.kv.expect("attention reads key-value memory");
    let (view, position) = place_of(task.shape, run, row);
    let n_total = (view.n_past + view.n_append) as usize;
    let seen = visible(attention.mask, position, n_total);
    let (n_head, value_dim) = (task.out.dims[1], task.out.dims[0]);
    let group = n_head / kv.n_head_kv;
    let heads = head_kv * group..(head_kv + 1) * group;
    values.clear();
    values.resize(group * value_dim, 0.0);
    // SAFETY: queries and small weights are of earlier stages.
    let (q, extra) = unsafe { (run.row(&task.ins[0], row), &task.ins[2..]) };
    // SAFETY: as above.
    let small = |i: usize| extra.get(i).map(|v| unsafe { run.row(v, 0) }.data);
    let sinks = if attention.sinks { small(0) } else { None };
    let relative = attention.relative_bias.and_then(|_| small(usize::from(attention.sinks)));
    for (head, acc) in heads.clone().zip(values.chunks_exact_mut(value_dim.max(1))) {
        let mut running = Running::new(sinks.map(|s| s[head]));
        let slope = attention.alibi_max_bias.map_or(0.0, |max| alibi_slope(head, n_head, max));
        let relative = relative.map(|table| (table, n_head, head));
        let scoring = Scoring { attention, position, slope, relative };
        // SAFETY: the caller's promise.
        unsafe {
            one_head(
                run,
                attention.memory,
                &kv,
                head_kv,
                view,
                &seen,
                q.vector(head),
                &scoring,
                &mut running,
                acc,
            );
        };
        let scale = running.scale();
        // SAFETY: this head of the row is the caller's.
        let out = unsafe { run.part_mut(&task.out, row, head * value_dim, value_dim) };
        for (out, acc) in out.iter_mut().zip(acc) {
            *out = *acc * scale;
        }
    }
}

/// # Safety
/// Memory is not written in this stage.
#[expect(clippy::too_many_arguments, reason = "the inner loop of attention, kept flat")]
unsafe fn one_head(
    run: &Run<'_>,
    memory: MemoryId,
    kv: &KvShape,
    head_kv: usize,
    view: KvView,
    seen: &Range<usize>,
    q: &[f32],
    scoring: &Scoring<'_>,
    running: &mut Running,
    acc: &mut [f32],
) {
    let mut scores = [0.0; BLOCK_TOKENS];
    let mut first = seen.start;
    while first < seen.end {
        let within = first % BLOCK_TOKENS;
        let n = (BLOCK_TOKENS - within).min(seen.end - first);
        let block = run.step.tables[view.table as usize + first / BLOCK_TOKENS];
        let scores = &mut scores[..n];
        // SAFETY: the caller's promise.
        let (keys, stored) = unsafe {
            let keys = run.stored(memory, block, kv.key_at(head_kv, within), n * kv.key.n_bytes);
            let stride = if kv.value_in_key { kv.key.n_bytes } else { kv.value.n_bytes };
            (keys, run.stored(memory, block, kv.value_at(head_kv, within), n * stride))
        };
        dot_keys(q, keys, &kv.key, scores);
        scoring.apply(first, scores);
        let rescale = running.update(scores);
        if rescale != 1.0 {
            acc.iter_mut().for_each(|a| *a *= rescale);
        }
        let stride = if kv.value_in_key { kv.key.n_bytes } else { kv.value.n_bytes };
        add_values(scores, stored, stride, &kv.value, acc);
        first += n;
    }
}

/// Where a row's sequence lies in memory, and the row's place in it.
fn place_of(shape: SlotShape, run: &Run<'_>, row: usize) -> (KvView, usize) {
    let sequences = run.step.sequences;
    let i = sequences.partition_point(|s| (s.first_row + s.n_rows) as usize <= row);
    let view = run.step.view(i, shape.group);
    let offset = row - sequences[i].first_row as usize;
    (view, if view.n_append == 0 { 0 } else { view.n_past as usize + offset })
}

/// # Safety
/// Part `part` of the channels belongs to the caller, in the result and in the state.
unsafe fn convolve(conv: &Conv1d, task: &SequenceTask, run: &Run<'_>, sequence: SequenceRows, part: usize) {
    let n = task.out.row_len();
    let channels = share(n, parts(task), part);
    let (start, len) = (channels.start, channels.len());
    let d_state = conv.d_conv - 1;
    // SAFETY: the rows of earlier stages, and the caller's channels.
    unsafe {
        let weight = run.row(&task.ins[1], 0).data;
        let bias = conv.bias.then(|| &run.row(&task.ins[2], 0).data[channels.clone()]);
        let first = sequence.first_row as usize;
        let x = |t: usize| &run.row(&task.ins[0], first + t).data[start..start + len];
        let span = if d_state == 0 { 0 } else { (d_state - 1) * n + len };
        let mut state = StateRows {
            data: run.state_mut(conv.memory, sequence.state_slot, start, span),
            n_rows: d_state,
            n_channels: len,
            stride: n,
        };
        let weight = &weight[start * conv.d_conv..(start + len) * conv.d_conv];
        let y = |t: usize| run.part_mut(&task.out, first + t, start, len);
        conv1d(&x, weight, bias, &mut state, sequence.n_rows as usize, y);
    }
}

/// # Safety
/// Head `head` belongs to the caller, in the result and in the state.
unsafe fn ssm_scan(scan: &SsmScan, task: &SequenceTask, run: &Run<'_>, sequence: SequenceRows, head: usize) {
    let [head_dim, n_head, ..] = task.out.dims;
    let size = scan.d_state * head_dim;
    // SAFETY: the rows of earlier stages, and the caller's head.
    unsafe {
        let state = run.state_mut(scan.memory, sequence.state_slot, head * size, size);
        let a = run.row(&task.ins[2], 0).vector(head);
        for row in rows_of(sequence) {
            let [x, dt, b, c] = [0, 1, 3, 4].map(|i| run.row(&task.ins[i], row));
            let group = head / (n_head / b.dims[1]);
            let y = run.part_mut(&task.out, row, head * head_dim, head_dim);
            let dt = if dt.dims[0] == n_head { dt.vector(0)[head] } else { dt.vector(head)[0] };
            ssm_step(state, x.vector(head), dt, a, b.vector(group), c.vector(group), y);
        }
    }
}

/// # Safety
/// Part `part` of the channels belongs to the caller, in the result and in the state.
unsafe fn token_shift(
    memory: MemoryId,
    task: &SequenceTask,
    run: &Run<'_>,
    sequence: SequenceRows,
    part: usize,
) {
    let channels = share(task.out.row_len(), parts(task), part);
    // SAFETY: the rows of earlier stages, and the caller's channels.
    unsafe {
        let state = run.state_mut(memory, sequence.state_slot, channels.start, channels.len());
        for row in rows_of(sequence) {
            run.part_mut(&task.out, row, channels.start, channels.len()).copy_from_slice(state);
            state.copy_from_slice(&run.row(&task.ins[0], row).data[channels.clone()]);
        }
    }
}

/// # Safety
/// Head `head` belongs to the caller, in the result and in the state.
unsafe fn wkv7(memory: MemoryId, task: &SequenceTask, run: &Run<'_>, sequence: SequenceRows, head: usize) {
    let n = task.out.dims[0];
    // SAFETY: the rows of earlier stages, and the caller's head.
    unsafe {
        let state = run.state_mut(memory, sequence.state_slot, head * n * n, n * n);
        for row in rows_of(sequence) {
            let ins = [0, 1, 2, 3, 4, 5].map(|i| run.row(&task.ins[i], row).vector(head));
            wkv7_step(state, ins, run.part_mut(&task.out, row, head * n, n));
        }
    }
}

fn rows_of(sequence: SequenceRows) -> Range<usize> {
    sequence.first_row as usize..(sequence.first_row + sequence.n_rows) as usize
}
