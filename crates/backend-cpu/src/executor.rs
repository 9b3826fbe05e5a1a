//! Runs a program: hands the chunks of each stage to the team, and finds every operand of a chunk.
#![expect(unsafe_code, reason = "threads write disjoint rows of shared arenas")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use backend::{Error, Executor, Memory, Part, Result, Step};
use tensor::{Extents, MemoryId, Output, Rows};

use crate::compile::{Program, region};
use crate::kernels::Kernels;
use crate::memory::CpuMemory;
use crate::raw::{Floats, Shared};
use crate::run;
use crate::tasks::Task;
use crate::team::Teams;
use crate::value::{Place, Value, Vectors};

/// A compiled part of a graph on this device.
#[derive(Debug)]
pub(crate) struct CpuExecutor {
    device: String,
    program: Program,
    teams: Teams,
    memory: Arc<dyn Memory>,
    arenas: [Floats; 3],
    imports: Vec<Floats>,
    /// Of the last run.
    extents: Extents,
    /// By stage: the next chunk to claim.
    claims: Vec<AtomicUsize>,
    /// By thread.
    scratch: Vec<Mutex<run::Scratch>>,
    /// By memory id, refilled each run.
    storage: Vec<Shared>,
    max_tokens: usize,
    kernels: Kernels,
}

impl CpuExecutor {
    pub(crate) fn new(
        device: &str,
        program: Program,
        teams: Teams,
        kernels: Kernels,
        part: &Part<'_>,
    ) -> Self {
        let claims = program.stages.iter().map(|_| AtomicUsize::new(0)).collect();
        let imports = program.imports.iter().map(|_| Floats::default()).collect();
        let scratch = (0..teams.n_threads_max()).map(|_| Mutex::default()).collect();
        Self {
            device: device.into(),
            program,
            teams,
            memory: Arc::clone(&part.memory),
            arenas: Default::default(),
            imports,
            extents: Extents::default(),
            claims,
            scratch,
            storage: Vec::new(),
            max_tokens: part.max_tokens,
            kernels,
        }
    }

    fn check(&self, step: &Step<'_>) -> Result<()> {
        let n = step.tokens.len();
        let rows: usize = step.sequences.iter().map(|s| s.n_rows as usize).sum();
        let outputs_fit = step.outputs.iter().all(|&row| (row as usize) < n);
        if n > self.max_tokens || rows != n || step.positions.len() != n || !outputs_fit {
            return Err(Error::Failed {
                device: self.device.clone(),
                what: format!(
                    "a step of {n} tokens, {rows} sequence rows and {} positions does not fit a graph for up to {} \
                     tokens",
                    step.positions.len(),
                    self.max_tokens
                ),
            });
        }
        Ok(())
    }
}

impl Executor for CpuExecutor {
    fn import(&mut self, index: u32, rows: &[u8]) {
        let buffer = &mut self.imports[index as usize];
        buffer.grow(rows.len() / 4);
        bytemuck::cast_slice_mut(buffer.as_mut_slice())[..rows.len()].copy_from_slice(rows);
    }

    fn run(&mut self, step: &Step<'_>) -> Result<()> {
        self.check(step)?;
        let extents = step.extents();
        self.extents = extents;
        for rows in [Rows::Fixed, Rows::Tokens, Rows::Outputs] {
            let i = region(rows);
            self.arenas[i].grow(self.program.row_units[i] * extents.rows(rows));
        }
        for claim in &mut self.claims {
            *claim.get_mut() = 0;
        }
        let memory = self.memory.as_any().downcast_ref::<CpuMemory>().ok_or_else(|| Error::Failed {
            device: self.device.clone(),
            what: "the memory belongs to another device".into(),
        })?;
        let mut storage = memory.lock();
        self.storage.clear();
        self.storage.extend(storage.iter_mut().map(Floats::share));
        let team = self.teams.for_step(step.tokens.len());
        let run = Run {
            program: &self.program,
            step,
            extents,
            arenas: self.arenas.each_mut().map(Floats::share),
            imports: &self.imports,
            storage: &self.storage,
            memory,
            n_threads: team.n_threads(),
            kernels: self.kernels,
        };
        let (claims, scratch) = (&self.claims, &self.scratch);
        team.run(&|member| {
            let mut scratch = scratch[member.index].lock().unwrap_or_else(PoisonError::into_inner);
            for (stage, claim) in run.program.stages.iter().zip(claims) {
                run.stage(stage, claim, &mut scratch);
                member.wait();
            }
        });
        drop(storage);
        Ok(())
    }

    fn output(&self, output: Output) -> &[u8] {
        let Some((_, value)) = self.program.outputs.iter().find(|(o, _)| *o == output) else {
            return &[];
        };
        let Place::Arena(unit) = value.place else { return &[] };
        let n_rows = self.extents.rows(value.rows);
        let start = unit * n_rows + value.offset;
        let arena = self.arenas[region(value.rows)].as_slice();
        bytemuck::cast_slice(&arena[start..start + n_rows * value.row_len()])
    }
}

/// One run of a program, seen by all threads.
#[derive(Debug)]
pub(crate) struct Run<'a> {
    pub(crate) program: &'a Program,
    pub(crate) step: &'a Step<'a>,
    pub(crate) extents: Extents,
    arenas: [Shared; 3],
    imports: &'a [Floats],
    pub(crate) storage: &'a [Shared],
    pub(crate) memory: &'a CpuMemory,
    pub(crate) n_threads: usize,
    pub(crate) kernels: Kernels,
}

impl Run<'_> {
    /// Claims and runs chunks until the stage has none left.
    fn stage(&self, stage: &[Task], claim: &AtomicUsize, scratch: &mut run::Scratch) {
        loop {
            let mut chunk = claim.fetch_add(1, Ordering::Relaxed);
            let task = stage.iter().find(|task| {
                let n = run::n_chunks(task, self);
                let found = chunk < n;
                if !found {
                    chunk -= n;
                }
                found
            });
            let Some(task) = task else { return };
            // SAFETY: `claim` gives each chunk of the stage to one thread, and stages are separated by barriers.
            unsafe { run::chunk(task, self, chunk, scratch) };
        }
    }

    pub(crate) fn n_rows(&self, rows: Rows) -> usize {
        self.extents.rows(rows)
    }

    /// Tokens in the memory of the sequence that has most of them, this step's among them.
    pub(crate) fn longest(&self, group: u32) -> usize {
        let seen = |i| {
            let view = self.step.view(i, group);
            (view.n_past + view.n_append) as usize
        };
        (0..self.step.sequences.len()).map(seen).max().unwrap_or(0)
    }

    /// Row `row` of a value.
    ///
    /// # Safety
    /// No thread writes the row while it is borrowed: it was made before the last barrier, or by this very chunk.
    pub(crate) unsafe fn row(&self, value: &Value, row: usize) -> Vectors<'_> {
        let (start, len) = (row * value.row_stride + value.offset, value.extent());
        let data = match value.place {
            Place::Arena(unit) => {
                let base = unit * self.n_rows(value.rows);
                // SAFETY: the caller's promise.
                unsafe { self.arenas[region(value.rows)].slice(base + start, len) }
            }
            Place::Small(i) => &self.program.small[i][value.offset..value.offset + len],
            Place::Import(i) => &self.imports[i as usize].as_slice()[start..start + len],
            Place::Tokens => &bytemuck::cast_slice(self.step.tokens)[start..start + len],
            Place::Positions => &bytemuck::cast_slice(self.step.positions)[start..start + len],
            Place::Handle => &[],
        };
        Vectors { data, dims: value.dims, strides: value.strides }
    }

    /// All rows of a value whose rows follow one another.
    ///
    /// # Safety
    /// No thread writes them while they are borrowed.
    pub(crate) unsafe fn all(&self, value: &Value) -> &[f32] {
        let n = self.n_rows(value.rows);
        if n == 0 {
            return &[];
        }
        let whole = Value { row_stride: 0, dims: [n * value.row_stride, 1, 1, 1], ..value.clone() };
        // SAFETY: the caller's promise.
        unsafe { self.row(&whole, 0) }.data
    }

    /// Where the elements of a result start.
    pub(crate) fn start(&self, value: &Value) -> *mut f32 {
        // SAFETY: an empty slice borrows no element.
        unsafe { self.part_mut(value, 0, 0, 0) }.as_mut_ptr()
    }

    /// Elements `start..start + len` of a contiguous row, to be written.
    ///
    /// # Safety
    /// Nobody else reads or writes these elements while they are borrowed: they belong to this chunk.
    #[expect(clippy::mut_from_ref, reason = "disjoint parts of a shared arena, by the caller's promise")]
    pub(crate) unsafe fn part_mut(&self, value: &Value, row: usize, start: usize, len: usize) -> &mut [f32] {
        let Place::Arena(unit) = value.place else { unreachable!("results lie in arenas") };
        let base = unit * self.n_rows(value.rows) + row * value.row_stride + value.offset;
        // SAFETY: the caller's promise.
        unsafe { self.arenas[region(value.rows)].slice_mut(base + start, len) }
    }

    /// A whole contiguous row, to be written.
    ///
    /// # Safety
    /// As for [`Run::part_mut`].
    #[expect(clippy::mut_from_ref, reason = "disjoint rows of a shared arena, by the caller's promise")]
    pub(crate) unsafe fn row_mut(&self, value: &Value, row: usize) -> &mut [f32] {
        // SAFETY: the caller's promise.
        unsafe { self.part_mut(value, row, 0, value.row_len()) }
    }

    /// Bytes of slot `slot` of a memory, from `at`.
    ///
    /// # Safety
    /// No thread writes them while they are borrowed.
    pub(crate) unsafe fn stored(&self, memory: MemoryId, slot: u32, at: usize, n_bytes: usize) -> &[u8] {
        let start = self.slot_start(memory, slot) + at / 4;
        // SAFETY: the caller's promise.
        bytemuck::cast_slice(unsafe { self.storage[memory.0 as usize].slice(start, n_bytes / 4) })
    }

    /// The same, to be written.
    ///
    /// # Safety
    /// Nobody else reads or writes them while they are borrowed.
    #[expect(clippy::mut_from_ref, reason = "disjoint parts of shared storage, by the caller's promise")]
    pub(crate) unsafe fn stored_mut(
        &self,
        memory: MemoryId,
        slot: u32,
        at: usize,
        n_bytes: usize,
    ) -> &mut [u8] {
        // SAFETY: the caller's promise.
        bytemuck::cast_slice_mut(unsafe { self.state_mut(memory, slot, at / 4, n_bytes / 4) })
    }

    /// Elements of a recurrent state, to be written.
    ///
    /// # Safety
    /// Nobody else reads or writes them while they are borrowed.
    #[expect(clippy::mut_from_ref, reason = "disjoint parts of shared storage, by the caller's promise")]
    pub(crate) unsafe fn state_mut(
        &self,
        memory: MemoryId,
        slot: u32,
        start: usize,
        len: usize,
    ) -> &mut [f32] {
        let start = self.slot_start(memory, slot) + start;
        // SAFETY: the caller's promise.
        unsafe { self.storage[memory.0 as usize].slice_mut(start, len) }
    }

    fn slot_start(&self, memory: MemoryId, slot: u32) -> usize {
        let shape = self.memory.shape(memory).expect("the splitter runs an op where its memory is");
        slot as usize * shape.len
    }
}
