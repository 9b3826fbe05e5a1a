//! The inside of the engine's thread: which requests run in a step, with how many tokens, in which memory.
//!
//! A step mixes one token of each request that generates with a chunk of prompts. A request is its list of tokens, of
//! which some are in memory and the others pending; generating is no state of its own, but having one token pending.

mod idle;
mod job;
mod masks;
mod reuse;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::Receiver;

use backend::BLOCK_TOKENS;

use crate::answer::Finish;
use crate::engine::{EngineConfig, Status};
use crate::{Context, Entry, Error, MemoryUse, Mode, Result, Wanted};
use idle::IdleSequences;
pub(crate) use job::Job;
use masks::Masks;

/// What the engine's thread is told.
#[derive(Debug)]
pub(crate) enum Command {
    Submit(Box<Job>),
    /// A reader has read, or is gone.
    Wake,
    Stop,
}

/// What others may know while the thread runs.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Counted up by who submits, down by the thread.
    pub(crate) n_waiting: AtomicUsize,
    n_running: AtomicUsize,
    n_idle: AtomicUsize,
    total_bytes: AtomicU64,
    used_bytes: AtomicU64,
}

/// Tokens of a job that are part of the next step.
#[derive(Clone, Copy, Debug)]
struct Planned {
    job: usize,
    n_tokens: usize,
}

/// A constraint that allowed so many tokens in a row is left alone. A mask takes time of a core that may be computing
/// the step: of answers that keep to their schema anyway, up to 6 %.
const N_FREE: usize = 16;

/// All requests, and the memory they share.
#[derive(Debug)]
pub(crate) struct Scheduler {
    context: Context,
    config: EngineConfig,
    waiting: VecDeque<Job>,
    /// In the order they were admitted.
    running: Vec<Job>,
    idle: IdleSequences,
    masks: Masks,
    counters: Arc<Counters>,
    // Kept from step to step so that none allocates.
    planned: Vec<Planned>,
    entries: Vec<Entry<'static>>,
    finished: Vec<(usize, Finish)>,
}

impl Counters {
    pub(crate) fn status(&self) -> Status {
        let get = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
        Status {
            n_running: get(&self.n_running),
            n_waiting: get(&self.n_waiting),
            n_idle: get(&self.n_idle),
            memory: MemoryUse {
                total_bytes: self.total_bytes.load(Ordering::Relaxed),
                used_bytes: self.used_bytes.load(Ordering::Relaxed),
            },
        }
    }
}

impl Scheduler {
    /// # Errors
    /// Where there is no thread for masks.
    pub(crate) fn new(context: Context, config: &EngineConfig, counters: Arc<Counters>) -> Result<Self> {
        let scheduler = Self {
            context,
            config: *config,
            waiting: VecDeque::new(),
            running: Vec::with_capacity(config.n_parallel),
            idle: IdleSequences::default(),
            masks: Masks::new(config.n_parallel)?,
            counters,
            planned: Vec::with_capacity(config.n_parallel),
            entries: Vec::with_capacity(config.n_parallel),
            finished: Vec::with_capacity(config.n_parallel),
        };
        scheduler.count();
        Ok(scheduler)
    }

    /// Serves until it is told to stop.
    pub(crate) fn run(&mut self, inbox: &Receiver<Command>) {
        loop {
            self.drop_cancelled();
            let mut is_busy = self.step();
            self.count();
            loop {
                let command = if is_busy { inbox.try_recv().ok() } else { inbox.recv().ok() };
                match command {
                    Some(Command::Submit(job)) => self.waiting.push_back(*job),
                    Some(Command::Wake) => {}
                    None if is_busy => break,
                    Some(Command::Stop) | None => return,
                }
                is_busy = true;
            }
        }
    }

    fn count(&self) {
        let memory = self.context.memory();
        self.counters.n_running.store(self.running.len(), Ordering::Relaxed);
        self.counters.n_idle.store(self.idle.len(), Ordering::Relaxed);
        self.counters.total_bytes.store(memory.total_bytes, Ordering::Relaxed);
        self.counters.used_bytes.store(memory.used_bytes, Ordering::Relaxed);
    }

    fn drop_cancelled(&mut self) {
        while let Some(i) = self.running.iter().position(Job::is_cancelled) {
            self.end(i, Finish::Cancelled);
        }
        while let Some(i) = self.waiting.iter().position(Job::is_cancelled) {
            let job = self.waiting.remove(i).expect("just found");
            self.counters.n_waiting.fetch_sub(1, Ordering::SeqCst);
            job.finish(Finish::Cancelled);
        }
    }

    /// Lets jobs in, first come first served, while there are places and memory for what they have so far. Jobs whose
    /// readers are slow give up theirs.
    fn admit(&mut self) {
        let blocks = |job: &Job| job.tokens.len() / BLOCK_TOKENS + 1;
        while let Some(next) = self.waiting.iter().position(Job::can_send) {
            let n_blocks = blocks(&self.waiting[next]) + self.running.iter().map(blocks).sum::<usize>();
            let has_place = self.running.len() < self.config.n_parallel;
            let has_memory = n_blocks * BLOCK_TOKENS <= self.config.context.n_ctx || self.running.is_empty();
            if has_place && has_memory {
                self.running.extend(self.waiting.remove(next));
                self.counters.n_waiting.fetch_sub(1, Ordering::SeqCst);
            } else if let Some(stalled) = self.running.iter().position(|job| !job.can_send()) {
                let mut job = self.running.remove(stalled);
                self.leave_memory(&mut job);
                self.waiting.push_back(job);
                self.counters.n_waiting.fetch_add(1, Ordering::SeqCst);
            } else {
                return;
            }
        }
    }

    /// Runs one step; `false` if there is nothing to run.
    fn step(&mut self) -> bool {
        loop {
            self.admit();
            self.plan();
            if self.planned.is_empty() {
                return false;
            }
            match self.check_room() {
                Ok(()) => break,
                Err(error) => self.make_room(error),
            }
        }
        self.decode();
        true
    }

    /// Chooses the jobs of the next step: all that generate, and prompts as far as there is room, first come first
    /// served. So one of several that begin alike is done first, and the others begin with its memory.
    fn plan(&mut self) {
        self.planned.clear();
        for (job, it) in self.running.iter().enumerate() {
            if it.seq.is_some() && it.n_pending() == 1 && it.can_send() {
                self.planned.push(Planned { job, n_tokens: 1 });
            }
        }
        let n_ubatch = self.config.context.n_ubatch;
        let mut room = match self.planned.len() {
            0 => n_ubatch,
            n => n_ubatch.saturating_sub(n).min(self.config.n_chunk.max(1)),
        };
        for job in 0..self.running.len() {
            let it = &self.running[job];
            if room == 0 || (it.seq.is_some() && it.n_pending() == 1) || !it.can_send() {
                continue;
            }
            if it.seq.is_none() {
                let (seq, n_reused) = self.find_memory(job);
                self.running[job].start(seq, n_reused);
            }
            let n_tokens = self.running[job].n_pending().min(room);
            self.planned.push(Planned { job, n_tokens });
            room -= n_tokens;
        }
    }

    fn check_room(&self) -> Result<()> {
        let seq = |job: usize| self.running[job].seq.expect("planned jobs have memory");
        self.context.check_room(self.planned.iter().map(|p| (seq(p.job), p.n_tokens)))
    }

    /// Frees memory: of the idle sequence that was used longest ago, else of a job whose reader is slow, else of the job
    /// that was admitted last; it waits again. A job that is alone fails with `error`.
    fn make_room(&mut self, error: Error) {
        if let Some(seq) = self.idle.take_oldest(None) {
            self.context.remove(seq);
            return;
        }
        let has_memory = |job: &Job| job.seq.is_some();
        let stalled = self.running.iter().rposition(|job| has_memory(job) && !job.can_send());
        let last = self.running.iter().rposition(has_memory).expect("planned jobs have memory");
        let last = stalled.unwrap_or(last);
        if self.running.iter().filter(|job| job.seq.is_some()).count() == 1 {
            self.end(last, Finish::Failed(error));
            return;
        }
        let mut job = self.running.remove(last);
        job.pause().into_iter().for_each(|seq| self.context.remove(seq));
        self.waiting.push_front(job);
        self.counters.n_waiting.fetch_add(1, Ordering::SeqCst);
    }

    /// Computes what is planned and picks the next token of the jobs whose last token was in it.
    fn decode(&mut self) {
        self.lend_constraints();
        let mut entries = recycle(std::mem::take(&mut self.entries));
        entries.extend(self.planned.iter().map(|planned| {
            let job = &self.running[planned.job];
            let wanted = if planned.n_tokens == job.n_pending() { Wanted::Last } else { Wanted::None };
            let tokens = &job.tokens[job.n_done..][..planned.n_tokens];
            Entry { seq: job.seq.expect("planned jobs have memory"), tokens, wanted }
        }));
        let outputs = self.context.decode(Mode::Logits, &entries);
        self.entries = recycle(entries);
        for (job, constraint) in self.masks.take_back() {
            self.running[job].chain.constrain(constraint);
        }
        match outputs {
            Ok(outputs) => {
                let mut rows = outputs.rows();
                for planned in &self.planned {
                    let job = &mut self.running[planned.job];
                    job.n_done += planned.n_tokens;
                    if job.n_pending() == 0 {
                        let logits = rows.next().expect("a row for each last token");
                        self.finished.extend(job.advance(logits).map(|finish| (planned.job, finish)));
                    }
                }
            }
            Err(error) => {
                let failed = || Finish::Failed(Error::StepFailed { cause: error.to_string() });
                self.finished.extend(self.planned.iter().map(|planned| (planned.job, failed())));
            }
        }
        // The last first, so that the places of the others stay.
        self.finished.sort_unstable_by_key(|(job, _)| *job);
        while let Some((job, finish)) = self.finished.pop() {
            self.end(job, finish);
        }
    }

    /// Has masks made for the tokens that this step will pick, if they may be needed.
    fn lend_constraints(&mut self) {
        for planned in &self.planned {
            let job = &mut self.running[planned.job];
            if planned.n_tokens == job.n_pending()
                && job.chain.n_free() < N_FREE
                && let Some(constraint) = job.chain.take_constraint()
            {
                self.masks.lend(planned.job, constraint);
            }
        }
    }

    /// Takes a job out.
    fn end(&mut self, job: usize, finish: Finish) {
        let mut job = self.running.remove(job);
        match &finish {
            // The fault may be in there.
            Finish::Failed(_) => job.pause().into_iter().for_each(|seq| self.context.remove(seq)),
            _ => self.leave_memory(&mut job),
        }
        // Before anybody learns of the end.
        self.count();
        job.finish(finish);
    }

    /// Keeps what a job remembers for others of its scope, and for itself if it comes back.
    fn leave_memory(&mut self, job: &mut Job) {
        let n_done = job.n_done;
        let Some(seq) = job.pause() else { return };
        match job.cache_scope.filter(|_| n_done > 0) {
            Some(scope) => self.idle.add(seq, job.tokens[..n_done].to_vec(), scope),
            None => self.context.remove(seq),
        }
    }
}

/// The empty list with its memory, for borrows of another lifetime.
fn recycle<'to>(mut entries: Vec<Entry<'_>>) -> Vec<Entry<'to>> {
    entries.clear();
    entries.into_iter().map(|_| unreachable!("the list is empty")).collect()
}
