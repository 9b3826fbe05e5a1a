//! Memory for a job that begins: where others have computed the same tokens, theirs is shared.

use super::Scheduler;
use super::idle::n_common;
use crate::SeqId;

/// A sequence to begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Source {
    /// How many of its tokens can be used.
    n_kept: usize,
    /// It has no others, and nobody runs on it.
    is_free: bool,
    seq: SeqId,
}

impl Scheduler {
    /// A sequence for a job, and how many of the job's tokens it has already.
    pub(super) fn find_memory(&mut self, job: usize) -> (SeqId, usize) {
        let Some(source) = self.best_source(job) else {
            self.make_place(None);
            return (self.context.sequence().expect("a place was made"), 0);
        };
        let Source { n_kept, is_free, seq } = source;
        self.idle.touch(seq);
        // A copy costs little, and leaves the original to others. Where there is no place for one, the original is
        // idle: else at least that many sequences would run as there may be.
        if is_free || !self.make_place(Some(seq)) {
            self.idle.take(seq).expect("an idle sequence");
            return (seq, self.context.truncate(seq, n_kept).expect("it exists"));
        }
        let copy = self.context.fork(seq).expect("a place was made");
        (copy, self.context.truncate(copy, n_kept).expect("it was just made"))
    }

    /// The sequence of the job's scope that has most in common with it.
    fn best_source(&self, job: usize) -> Option<Source> {
        let job = &self.running[job];
        let scope = job.cache_scope?;
        // The last token is computed in any case, for what comes behind it.
        let wanted = &job.tokens[..job.tokens.len() - 1];
        let n_kept = |seq, tokens| self.context.kept(seq, n_common(wanted, tokens)).unwrap_or(0);
        let idle = self.idle.iter().filter(|idle| idle.scope == scope).map(|idle| {
            let n_kept = n_kept(idle.seq, &idle.tokens);
            Source { n_kept, is_free: n_kept == idle.tokens.len(), seq: idle.seq }
        });
        let running = self.running.iter().filter(|other| other.cache_scope == Some(scope));
        let running = running.filter_map(|other| {
            let seq = other.seq?;
            Some(Source { n_kept: n_kept(seq, &other.tokens[..other.n_done]), is_free: false, seq })
        });
        idle.chain(running).filter(|source| source.n_kept > 0).max()
    }

    /// Makes sure that there can be one more sequence, at the cost of an idle one other than `except`.
    fn make_place(&mut self, except: Option<SeqId>) -> bool {
        while self.context.n_sequences() >= self.context.config().n_seq_max {
            let Some(oldest) = self.idle.take_oldest(except) else { return false };
            self.context.remove(oldest);
        }
        true
    }
}
