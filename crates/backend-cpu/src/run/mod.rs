//! Runs one chunk of a task: finds its operands and calls the op.
#![expect(unsafe_code, reason = "operands are parts of shared arenas")]

pub(crate) mod attention;
mod chain;
pub(crate) mod choose;
mod chosen;
pub(crate) mod experts;
mod matmul;
mod sequence;

pub(crate) use matmul::{quantized_units, rounding};

use tensor::Op;

use crate::executor::Run;
use crate::tasks::Task;

/// Buffers of one thread, kept between steps.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    pub(crate) matmul: matmul::Buffers,
    pub(crate) attention: attention::Buffers,
    pub(crate) choose: choose::Buffers,
}

/// Into how many chunks the task splits in this run.
pub(crate) fn n_chunks(task: &Task, run: &Run<'_>) -> usize {
    match task {
        Task::Chain(chain) => chain::n_chunks(chain, run),
        Task::MatMul(task) => matmul::n_chunks(task, run),
        Task::Group(_) => 1,
        Task::Sequence(task) => match task.op {
            Op::Attention(_) => attention::n_chunks(task, run),
            Op::Choose(_) => choose::n_chunks(task, run),
            _ => sequence::n_chunks(task, run),
        },
    }
}

/// # Safety
/// Each chunk runs once, on one thread, after the stages before it are done.
pub(crate) unsafe fn chunk(task: &Task, run: &Run<'_>, chunk: usize, scratch: &mut Scratch) {
    // SAFETY: the caller's promise is what each asks for.
    unsafe {
        match task {
            Task::Chain(chain) => chain::chunk(chain, run, chunk),
            Task::MatMul(task) => matmul::chunk(task, run, chunk, &mut scratch.matmul),
            Task::Group(task) => experts::group(task, run),
            Task::Sequence(task) => match task.op {
                Op::Attention(_) => attention::chunk(task, run, chunk, &mut scratch.attention),
                Op::Choose(_) => choose::chunk(task, run, chunk, &mut scratch.choose),
                _ => sequence::chunk(task, run, chunk),
            },
        }
    }
}
