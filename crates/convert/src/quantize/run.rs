//! The work: threads take pieces of tensors in order, read, decode, encode; the caller's thread writes them in order.
//! Memory is a few pieces for each thread, whatever the tensors.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use gguf::Gguf;
use gguf::write::Writer;
use quant::DType;

use super::Options;
use super::plan::{Plan, Planned};
use crate::{Error, Result};

/// Elements of a piece: large enough to forget the locks, small enough for the cache and to share out the last tensor.
const PIECE_LEN: u64 = 1 << 16;
/// Pieces that may be finished or begun before the one that is written next, for each thread.
const AHEAD: usize = 4;

/// How far the work is.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// The tensor that was written last.
    pub tensor: &'a Planned,
    /// Bytes of the source that are done.
    pub done_bytes: u64,
    pub total_bytes: u64,
}

/// Makes the file of a plan. `progress` is called after each piece.
///
/// # Errors
/// If the plan needs what the options do not give, the source cannot be read or holds values that no type can, or the
/// new file cannot be written. Then there is no new file.
pub fn run(
    source: &Gguf,
    plan: &Plan,
    options: &Options,
    target: &Path,
    n_threads: NonZero<usize>,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<()> {
    plan.check(options)?;
    let mut writer = create(source, plan, target)?;
    let work = Work::new(source, plan, n_threads.get());
    thread::scope(|scope| {
        for _ in 0..n_threads.get() {
            scope.spawn(|| work.run());
        }
        let written = work.write(&mut writer, progress);
        work.stop();
        written
    })?;
    Ok(writer.finish()?)
}

fn create(source: &Gguf, plan: &Plan, target: &Path) -> Result<Writer> {
    if !plan.keep_split {
        refuse_source(source, target)?;
        return Ok(Writer::create(target, &plan.headers[0])?);
    }
    let is_named_so = target.extension().is_some_and(|extension| extension == "gguf");
    let prefix = if is_named_so { target.with_extension("") } else { target.into() };
    Ok(Writer::create_split(prefix, plan.headers.clone())?)
}

/// The new file would replace one that is being read.
pub(crate) fn refuse_source(source: &Gguf, target: &Path) -> Result<()> {
    let Ok(target) = target.canonicalize() else { return Ok(()) };
    let parts = (0..source.n_parts()).filter_map(|part| source.part_path(part));
    for part in parts {
        if part.canonicalize().is_ok_and(|part| part == target) {
            return Err(Error::SameFile { path: target });
        }
    }
    Ok(())
}

/// Rows of one matrix of one tensor.
#[derive(Clone, Copy, Debug)]
struct Piece {
    number: usize,
    tensor: usize,
    /// Counted through all matrices.
    row: u64,
    n_rows: u64,
}

/// What the threads share.
struct Work<'a> {
    source: &'a Gguf,
    plan: &'a Plan,
    n_ahead: usize,
    state: Mutex<State>,
    /// A piece is ready to be written.
    ready: Condvar,
    /// A piece was written, or the work stopped.
    room: Condvar,
}

#[derive(Default)]
struct State {
    /// The next piece to be taken; its `n_rows` is not yet known.
    next: Next,
    n_written: usize,
    finished: BTreeMap<usize, (Piece, Result<Vec<u8>>)>,
    /// Buffers to be used again.
    spare: Vec<Vec<u8>>,
    is_stopped: bool,
}

#[derive(Clone, Copy, Default)]
struct Next {
    number: usize,
    tensor: usize,
    row: u64,
}

/// The memory of one thread.
#[derive(Default)]
struct Scratch {
    source: Vec<u8>,
    floats: Vec<f32>,
}

impl<'a> Work<'a> {
    fn new(source: &'a Gguf, plan: &'a Plan, n_threads: usize) -> Self {
        Self {
            source,
            plan,
            n_ahead: n_threads * AHEAD,
            state: Mutex::default(),
            ready: Condvar::new(),
            room: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A thread that panicked left nothing half done: the scope passes its panic on.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stop(&self) {
        self.lock().is_stopped = true;
        self.room.notify_all();
    }

    /// Takes and does pieces until there are no more.
    fn run(&self) {
        let stopper = StopOnPanic(self);
        let mut scratch = Scratch::default();
        while let Some((piece, mut out)) = self.take() {
            let done = self.quantize(piece, &mut scratch, &mut out).map(|()| out);
            self.lock().finished.insert(piece.number, (piece, done));
            self.ready.notify_one();
        }
        std::mem::forget(stopper);
    }

    /// The next piece and a buffer for it; waits while the writer is too far behind.
    fn take(&self) -> Option<(Piece, Vec<u8>)> {
        let mut state = self.lock();
        while !state.is_stopped && state.next.number >= state.n_written + self.n_ahead {
            state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.is_stopped {
            return None;
        }
        let piece = self.piece(state.next)?;
        let tensor = &self.plan.tensors[piece.tensor];
        let row = piece.row + piece.n_rows;
        let number = piece.number + 1;
        state.next = match row < n_rows(tensor) {
            true => Next { number, tensor: piece.tensor, row },
            false => Next { number, tensor: piece.tensor + 1, row: 0 },
        };
        Some((piece, state.spare.pop().unwrap_or_default()))
    }

    fn piece(&self, Next { number, tensor, row }: Next) -> Option<Piece> {
        let t = self.plan.tensors.get(tensor)?;
        // Pieces end with the matrix, as each has an importance of its own.
        let matrix_rows = t.dims.get(1).copied().unwrap_or(1);
        let n_rows = (PIECE_LEN / t.dims[0]).max(1).min(matrix_rows - row % matrix_rows);
        Some(Piece { number, tensor, row, n_rows })
    }

    fn quantize(&self, piece: Piece, scratch: &mut Scratch, out: &mut Vec<u8>) -> Result<()> {
        let t = &self.plan.tensors[piece.tensor];
        let row_len = t.dims[0] as usize;
        let len = row_len * piece.n_rows as usize;
        let failed = |cause| failed(t, cause);
        let bytes = |ty: DType| ty.row_bytes(len).ok_or(quant::Error::RaggedRow { dtype: ty, len: row_len });
        let [from_bytes, to_bytes] = [bytes(t.from).map_err(failed)?, bytes(t.to).map_err(failed)?];
        let out = resized(out, to_bytes);
        if t.from == t.to {
            return self.read(piece, out);
        }
        let floats = resized(&mut scratch.floats, len);
        if t.from == DType::F32 && cfg!(target_endian = "little") {
            // The floats of a file are those of this machine.
            self.read(piece, bytemuck::cast_slice_mut(floats))?;
        } else {
            let source = resized(&mut scratch.source, from_bytes);
            self.read(piece, source)?;
            quant::decode(t.from, source, floats).map_err(failed)?;
        }
        let importance = t.importance.as_ref().map(|values| {
            let matrix_rows = t.dims.get(1).copied().unwrap_or(1);
            let matrix = (piece.row / matrix_rows) as usize * row_len;
            &values[matrix % values.len()..][..row_len]
        });
        quant::encode(t.to, floats, row_len, importance, out).map_err(failed)?;
        validate(t, t.to, piece, out)
    }

    /// The bytes of a piece of the source.
    fn read(&self, piece: Piece, into: &mut [u8]) -> Result<()> {
        let t = &self.plan.tensors[piece.tensor];
        let offset = piece.row * (into.len() as u64 / piece.n_rows);
        self.source.read_at(&self.source.tensors()[t.source], offset, into)?;
        validate(t, t.from, piece, into)
    }

    /// Writes the pieces in order.
    fn write(&self, writer: &mut Writer, progress: &mut dyn FnMut(Progress<'_>)) -> Result<()> {
        let total_bytes = self.plan.from_bytes();
        let mut done_bytes = 0;
        while let Some((piece, done)) = self.wait_for_next() {
            let bytes = done?;
            writer.append(&bytes)?;
            let tensor = &self.plan.tensors[piece.tensor];
            done_bytes += tensor.from_bytes / n_rows(tensor) * piece.n_rows;
            let mut state = self.lock();
            state.n_written += 1;
            state.spare.push(bytes);
            drop(state);
            self.room.notify_all();
            progress(Progress { tensor, done_bytes, total_bytes });
        }
        Ok(())
    }

    /// `None` when all pieces are written, or a thread panicked.
    fn wait_for_next(&self) -> Option<(Piece, Result<Vec<u8>>)> {
        let mut state = self.lock();
        loop {
            let number = state.n_written;
            if let Some(found) = state.finished.remove(&number) {
                return Some(found);
            }
            let is_all_taken = state.next.tensor == self.plan.tensors.len();
            if state.is_stopped || (is_all_taken && number == state.next.number) {
                return None;
            }
            state = self.ready.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Lets nobody wait for a thread that panicked.
struct StopOnPanic<'a>(&'a Work<'a>);

impl Drop for StopOnPanic<'_> {
    fn drop(&mut self) {
        self.0.stop();
        self.0.ready.notify_all();
    }
}

fn n_rows(tensor: &Planned) -> u64 {
    tensor.dims[1..].iter().product()
}

/// The buffer, with this many elements; what they hold is not said.
fn resized<T: Copy + Default>(buffer: &mut Vec<T>, len: usize) -> &mut [T] {
    buffer.resize(len, T::default());
    buffer
}

fn validate(tensor: &Planned, ty: DType, piece: Piece, bytes: &[u8]) -> Result<()> {
    let first_block = (piece.row * tensor.dims[0]) as usize / ty.block_len();
    quant::validate_row(ty, bytes).map_err(|cause| failed(tensor, cause.behind(first_block)))
}

fn failed(tensor: &Planned, cause: quant::Error) -> Error {
    Error::Tensor { name: tensor.name.clone(), cause }
}
