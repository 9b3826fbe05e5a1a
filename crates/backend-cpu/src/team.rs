//! A team of threads that runs a job in lockstep, and the barrier between its stages.
//!
//! Waiting spins for a while, then parks: a step's barriers are microseconds apart, but a second process on the
//! machine must not find the cores busy with waiting.
#![expect(unsafe_code, reason = "a job borrows the caller's stack while other threads run it")]

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle, Thread};

use crate::CpuConfig;

/// Rounds of spinning before a thread parks: some tens of microseconds.
const SPIN_ROUNDS: u32 = 4_000;

/// Who computes steps of one token, and who those of several: one team, unless numbers of threads differ.
#[derive(Clone, Debug)]
pub(crate) struct Teams {
    pub(crate) single: Arc<Team>,
    pub(crate) several: Arc<Team>,
}

impl Teams {
    pub(crate) fn new(config: &CpuConfig) -> Self {
        let single = Arc::new(Team::new(config.n_threads));
        let several = match config.n_threads_batch {
            Some(n) if n != config.n_threads => Arc::new(Team::new(n)),
            _ => Arc::clone(&single),
        };
        Self { single, several }
    }

    pub(crate) fn for_step(&self, n_tokens: usize) -> &Team {
        if n_tokens > 1 { &self.several } else { &self.single }
    }

    /// How many threads the larger one has.
    pub(crate) fn n_threads_max(&self) -> usize {
        self.single.n_threads().max(self.several.n_threads())
    }
}

/// A fixed set of threads; the caller of [`Team::run`] is its member 0.
pub(crate) struct Team {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
    /// Held while a job runs: a team serves one job at a time.
    busy: Mutex<()>,
}

struct Shared {
    n_threads: usize,
    /// Counts jobs; a change wakes the workers.
    job: Gate,
    /// What the current job calls: valid from the opening of `job` until the closing barrier.
    work: Mutex<Option<Work>>,
    barrier: Barrier,
    stopping: AtomicBool,
}

/// A borrowed job whose lifetime is hidden from the type system.
#[derive(Clone, Copy)]
struct Work(*const (dyn Fn(Member<'_>) + Sync));

// SAFETY: the pointee is `Sync`, and `Team::run` keeps it alive until every thread has passed the closing barrier.
unsafe impl Send for Work {}

/// A thread's place in a running job.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member<'a> {
    pub(crate) index: usize,
    barrier: &'a Barrier,
}

impl Member<'_> {
    /// Waits until every member has come here.
    pub(crate) fn wait(&self) {
        self.barrier.wait(self.index);
    }
}

impl fmt::Debug for Team {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Team").field("n_threads", &self.shared.n_threads).finish_non_exhaustive()
    }
}

impl Team {
    /// # Panics
    /// If the system refuses to start a thread.
    pub(crate) fn new(n_threads: usize) -> Self {
        let n_threads = n_threads.max(1);
        let shared = Arc::new(Shared {
            n_threads,
            job: Gate::new(n_threads),
            work: Mutex::new(None),
            barrier: Barrier { gate: Gate::new(n_threads), arrived: AtomicUsize::new(0) },
            stopping: AtomicBool::new(false),
        });
        let workers = (1..n_threads)
            .map(|index| {
                let shared = Arc::clone(&shared);
                thread::Builder::new()
                    .name(format!("llama-rs-{index}"))
                    .spawn(move || shared.serve(index))
                    .expect("the system starts a worker thread")
            })
            .collect();
        Self { shared, workers, busy: Mutex::new(()) }
    }

    pub(crate) fn n_threads(&self) -> usize {
        self.shared.n_threads
    }

    /// Runs `job` once on every member and returns when all are done. A panic of `job` ends the process.
    pub(crate) fn run(&self, job: &(dyn Fn(Member<'_>) + Sync)) {
        let _busy = lock(&self.busy);
        let shared = &*self.shared;
        let leader = Member { index: 0, barrier: &shared.barrier };
        if shared.n_threads == 1 {
            return job(leader);
        }
        // SAFETY: only the lifetime changes; every use ends before `run` returns, as the barrier below shows.
        let work = unsafe { std::mem::transmute::<&(dyn Fn(Member<'_>) + Sync), Work>(job) };
        *lock(&shared.work) = Some(work);
        shared.job.gate_owner();
        shared.barrier.gate.gate_owner();
        shared.job.open();
        shared.call(job, leader);
        shared.barrier.wait(0);
        *lock(&shared.work) = None;
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::Relaxed);
        self.shared.job.open();
        for worker in self.workers.drain(..) {
            // A worker that panicked outside of a job has nothing more to say.
            drop(worker.join());
        }
    }
}

impl Shared {
    fn serve(&self, index: usize) {
        let mut seen = 0;
        self.job.register(index);
        self.barrier.gate.register(index);
        loop {
            seen = self.job.wait_past(seen, index);
            if self.stopping.load(Ordering::Relaxed) {
                return;
            }
            let work = *lock(&self.work);
            if let Some(Work(job)) = work {
                // SAFETY: `Team::run` waits at the closing barrier below, so the job is alive.
                self.call(unsafe { &*job }, Member { index, barrier: &self.barrier });
            }
            self.barrier.wait(index);
        }
    }

    /// A panic inside a job would leave the others waiting forever: there is no way to go on but to stop the
    /// process, which says why before.
    fn call(&self, job: &(dyn Fn(Member<'_>) + Sync), member: Member<'_>) {
        struct Abort;
        impl Drop for Abort {
            fn drop(&mut self) {
                std::process::abort();
            }
        }
        let guard = Abort;
        job(member);
        std::mem::forget(guard);
    }
}

/// A lock that outlives a panic elsewhere: what it guards is replaced whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// All members meet, then all go on.
#[derive(Debug)]
pub(crate) struct Barrier {
    gate: Gate,
    arrived: AtomicUsize,
}

impl Barrier {
    fn wait(&self, index: usize) {
        let seen = self.gate.generation.load(Ordering::Relaxed);
        if self.arrived.fetch_add(1, Ordering::AcqRel) + 1 == self.gate.sleepers.len() {
            self.arrived.store(0, Ordering::Relaxed);
            self.gate.open();
        } else {
            self.gate.wait_past(seen, index);
        }
    }
}

/// A counter that threads wait on, spinning first and then parked.
#[derive(Debug)]
struct Gate {
    generation: AtomicU32,
    sleepers: Vec<Sleeper>,
}

#[derive(Debug)]
struct Sleeper {
    parked: AtomicBool,
    thread: Mutex<Option<Thread>>,
}

impl Gate {
    fn new(n: usize) -> Self {
        let sleepers =
            (0..n).map(|_| Sleeper { parked: AtomicBool::new(false), thread: Mutex::new(None) }).collect();
        Self { generation: AtomicU32::new(0), sleepers }
    }

    /// Names the thread that may wait as member `index`.
    fn register(&self, index: usize) {
        *lock(&self.sleepers[index].thread) = Some(thread::current());
    }

    /// Member 0 is whoever runs the job.
    fn gate_owner(&self) {
        let mut owner = lock(&self.sleepers[0].thread);
        if owner.as_ref().is_none_or(|t| t.id() != thread::current().id()) {
            *owner = Some(thread::current());
        }
    }

    fn open(&self) {
        // SeqCst pairs with the sleeper's store of `parked`: one of the two sees the other.
        self.generation.fetch_add(1, Ordering::SeqCst);
        for sleeper in &self.sleepers {
            if sleeper.parked.swap(false, Ordering::SeqCst)
                && let Some(thread) = &*lock(&sleeper.thread)
            {
                thread.unpark();
            }
        }
    }

    /// Returns the generation once it is no longer `seen`.
    fn wait_past(&self, seen: u32, index: usize) -> u32 {
        for _ in 0..SPIN_ROUNDS {
            let now = self.generation.load(Ordering::Acquire);
            if now != seen {
                return now;
            }
            std::hint::spin_loop();
        }
        let sleeper = &self.sleepers[index];
        loop {
            sleeper.parked.store(true, Ordering::SeqCst);
            let now = self.generation.load(Ordering::SeqCst);
            if now != seen {
                sleeper.parked.store(false, Ordering::SeqCst);
                return now;
            }
            thread::park();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_member_passes_every_stage_together() {
        for n_threads in [1, 2, 3, 8] {
            let team = Team::new(n_threads);
            let counter = AtomicUsize::new(0);
            for job in 1..=20 {
                team.run(&|member| {
                    for stage in 1..=5 {
                        counter.fetch_add(1, Ordering::Relaxed);
                        member.wait();
                        let done = counter.load(Ordering::Relaxed);
                        assert_eq!(done, n_threads * ((job - 1) * 5 + stage));
                        member.wait();
                    }
                });
            }
        }
    }

    #[test]
    fn a_team_sleeps_and_wakes() {
        let team = Team::new(4);
        let counter = AtomicUsize::new(0);
        for _ in 0..3 {
            thread::sleep(std::time::Duration::from_millis(30));
            team.run(&|member| {
                if member.index == 0 {
                    thread::sleep(std::time::Duration::from_millis(20));
                }
                member.wait();
                counter.fetch_add(1, Ordering::Relaxed);
            });
        }
        assert_eq!(counter.load(Ordering::Relaxed), 12);
    }

    #[test]
    fn jobs_may_come_from_any_thread() {
        let team = Team::new(3);
        let counter = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        team.run(&|_| {
                            counter.fetch_add(1, Ordering::Relaxed);
                        });
                    }
                });
            }
        });
        assert_eq!(counter.load(Ordering::Relaxed), 4 * 20 * 3);
    }
}
