//! Masks of constraints, computed beside the forward pass: what may come next is known before its logits are.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use sampling::Constraint;

use crate::{Error, Result};

/// A constraint, and the number of the job that it belongs to.
type Lent = (usize, Box<dyn Constraint>);

/// A thread that is lent the constraints of a step, asks each for its mask, and gives them back. It ends when this is
/// dropped.
#[derive(Debug)]
pub(super) struct Masks {
    todo: SyncSender<Lent>,
    done: Receiver<Lent>,
    n_lent: usize,
    /// The logits are there: what was not begun is given back as it is.
    is_late: Arc<AtomicBool>,
}

impl Masks {
    /// Takes up to `n_jobs` constraints at once.
    ///
    /// # Errors
    /// Where there is no thread for it.
    pub(super) fn new(n_jobs: usize) -> Result<Self> {
        let (todo, inbox) = sync_channel::<Lent>(n_jobs);
        let (outbox, done) = sync_channel(n_jobs);
        let is_late = Arc::new(AtomicBool::new(false));
        let late = Arc::clone(&is_late);
        let work = move || {
            for (job, mut constraint) in inbox {
                if !late.load(Ordering::Relaxed) {
                    // It keeps its mask for who picks the token. An error comes again there, if the mask is needed.
                    let _ = constraint.mask();
                }
                if outbox.send((job, constraint)).is_err() {
                    return;
                }
            }
        };
        std::thread::Builder::new()
            .name("masks".into())
            .spawn(work)
            .map_err(|error| Error::EngineStopped { cause: format!("no thread for masks: {error}") })?;
        Ok(Self { todo, done, n_lent: 0, is_late })
    }

    /// Begins with the mask of a job's constraint.
    pub(super) fn lend(&mut self, job: usize, constraint: Box<dyn Constraint>) {
        self.is_late.store(false, Ordering::Relaxed);
        self.todo.send((job, constraint)).expect(GONE);
        self.n_lent += 1;
    }

    /// Everything that was lent, after the mask that is in the making.
    pub(super) fn take_back(&mut self) -> impl Iterator<Item = Lent> {
        self.is_late.store(true, Ordering::Relaxed);
        let n_lent = std::mem::take(&mut self.n_lent);
        (0..n_lent).map(|_| self.done.recv().expect(GONE))
    }
}

/// Only a panic within a constraint ends the thread early; the engine goes with it, as if it had asked itself.
const GONE: &str = "a constraint has panicked";
