//! Recurrences, and the compression of tokens: chunks are heads or channels of one sequence.
#![expect(unsafe_code, reason = "operands are parts of shared arenas and of memory")]

use std::ops::Range;

use backend::{BLOCK_TOKENS, SequenceRows};
use tensor::{Compress, Conv1d, MemoryId, Op, Pool, SsmScan};

use crate::executor::Run;
use crate::ops::compress::{self, Token};
use crate::ops::recurrent::{StateRows, conv1d, pool, ssm_step, wkv7_step};
use crate::tasks::{SequenceTask, share};

/// Channels of a convolution or shift that are worth a chunk.
const CHUNK_CHANNELS: usize = 1024;

/// How many independent parts each sequence splits into.
fn parts(task: &SequenceTask) -> usize {
    match &task.op {
        Op::Conv1d(_) | Op::TokenShift { .. } => task.out.row_len().div_ceil(CHUNK_CHANNELS),
        Op::Compress(_) => task.out.row_len().div_ceil(compress::CHUNK),
        Op::SsmScan(_) | Op::Wkv7 { .. } => task.out.dims[1],
        _ => 1,
    }
}

pub(crate) fn n_chunks(task: &SequenceTask, run: &Run<'_>) -> usize {
    run.step.sequences.len() * parts(task)
}

/// # Safety
/// As for [`super::chunk`].
pub(crate) unsafe fn chunk(task: &SequenceTask, run: &Run<'_>, chunk: usize) {
    let (unit, part) = (chunk / parts(task), chunk % parts(task));
    // SAFETY: the parts of a sequence are disjoint in results and in memory.
    unsafe {
        let sequence = run.step.sequences[unit];
        match &task.op {
            Op::Conv1d(conv) => convolve(conv, task, run, sequence, part),
            Op::Pool(op) => pool_rows(op, task, run, sequence),
            Op::SsmScan(scan) => ssm_scan(scan, task, run, sequence, part),
            Op::Compress(op) => compress(op, task, run, unit, part),
            Op::TokenShift { memory } => token_shift(*memory, task, run, sequence, part),
            Op::Wkv7 { memory } => wkv7(*memory, task, run, sequence, part),
            op => unreachable!("{op:?} is not an operation along sequences"),
        }
    }
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
/// The sequence belongs to the caller, in the result and in the state.
unsafe fn pool_rows(op: &Pool, task: &SequenceTask, run: &Run<'_>, sequence: SequenceRows) {
    let (n_in, n_state) = (task.ins[0].row_len(), op.n_rows - 1);
    let first = sequence.first_row as usize;
    // SAFETY: the rows of earlier stages, and the caller's sequence.
    unsafe {
        let bias = op.weighted.then(|| run.row(&task.ins[1], 0).data);
        let x = |t: usize| run.row(&task.ins[0], first + t).data;
        let mut state = StateRows {
            data: run.state_mut(op.memory, sequence.state_slot, 0, n_state * n_in),
            n_rows: n_state,
            n_channels: n_in,
            stride: n_in,
        };
        let y = |t: usize| run.row_mut(&task.out, first + t);
        pool(&x, bias, &mut state, sequence.n_rows as usize, y);
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

/// # Safety
/// Part `part` of the channels belongs to the caller; memory is not written in this stage.
unsafe fn compress(op: &Compress, task: &SequenceTask, run: &Run<'_>, sequence: usize, part: usize) {
    let (ratio, dim) = (op.ratio, task.out.row_len());
    let channels = share(dim, parts(task), part);
    let view = run.step.view(sequence, task.shape.group);
    let stride = task.shape.kv.expect("what is compressed is rows of tokens").key.n_bytes / 4;
    // SAFETY: small weights are never written; the rest is the caller's promise.
    let token = |token: usize, half: usize| unsafe {
        let channels = half * dim + channels.start..half * dim + channels.end;
        let block = run.step.tables[view.table as usize + token / BLOCK_TOKENS];
        let row = run.stored(op.memory, block, token % BLOCK_TOKENS * stride * 4, stride * 4);
        let (values, scores) = bytemuck::cast_slice(row).split_at(stride / 2);
        let bias = run.row(&task.ins[1], 0).vector(token % ratio);
        let [values, scores, bias] = [values, scores, bias].map(|all: &[f32]| &all[channels.clone()]);
        Token { values, scores, bias }
    };
    let rows = rows_of(run.step.sequences[sequence]);
    for (row, end) in rows.zip(view.n_past as usize + 1..) {
        // SAFETY: the caller's channels.
        let out = unsafe { run.part_mut(&task.out, row, channels.start, channels.len()) };
        if !end.is_multiple_of(ratio) {
            out.fill(0.0);
            continue;
        }
        let own = end - ratio..end;
        if op.overlap {
            let before = own.start.saturating_sub(ratio)..own.start;
            compress::compress(before.map(|t| token(t, 0)).chain(own.map(|t| token(t, 1))), out);
        } else {
            compress::compress(own.map(|t| token(t, 0)), out);
        }
    }
}

fn rows_of(sequence: SequenceRows) -> Range<usize> {
    sequence.first_row as usize..(sequence.first_row + sequence.n_rows) as usize
}
