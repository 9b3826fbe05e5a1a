//! What can come first in each routine: whether it has the empty text, which steps and calls it begins with, and
//! that it never calls itself before it read something.

use super::cycles::parts;
use super::program::{RETURN, Routine, RoutineId, Step, StepId};
use crate::{Error, Result};

/// Describes the routines that begin at `starts`; `describe` names one in words.
pub(super) fn routines(
    steps: &[Step],
    starts: &[StepId],
    describe: impl Fn(RoutineId) -> String,
) -> Result<Vec<Routine>> {
    let mut search =
        Search { steps, is_nullable: vec![false; starts.len()], seen: vec![0; steps.len()], round: 0 };
    search.find_nullable(starts);
    let firsts: Vec<Firsts> = starts.iter().map(|&start| search.firsts(start)).collect();
    let called = |routine: usize| firsts[routine].calls.iter().map(|&(callee, _)| callee as usize).collect();
    let parts = parts(starts.len(), called);
    let mut ranks = vec![0; starts.len()];
    for (i, part) in parts.iter().rev().enumerate() {
        for &routine in part {
            ranks[routine] = i as u32;
        }
    }
    for (routine, firsts) in firsts.iter().enumerate() {
        let is_endless = |&(callee, next): &(RoutineId, StepId)| {
            ranks[callee as usize] == ranks[routine] && next != RETURN
        };
        if firsts.calls.iter().any(is_endless) {
            return Err(Error::LeftRecursion { rule: describe(routine as RoutineId) });
        }
    }
    let routine = |(i, Firsts { leaves, calls, .. })| {
        let is_nullable = search.is_nullable[i];
        Routine { is_nullable, rank: ranks[i], leaves, calls }
    };
    Ok(firsts.into_iter().enumerate().map(routine).collect())
}

struct Search<'a> {
    steps: &'a [Step],
    is_nullable: Vec<bool>,
    /// The last round in which a step was seen.
    seen: Vec<u32>,
    round: u32,
}

/// What is reached from a step before anything is read.
#[derive(Default)]
struct Firsts {
    leaves: Vec<StepId>,
    calls: Vec<(RoutineId, StepId)>,
    returns: bool,
}

impl Search<'_> {
    /// Routines call later ones for the most part, so the last goes first.
    fn find_nullable(&mut self, starts: &[StepId]) {
        loop {
            let mut is_stable = true;
            for (routine, &start) in starts.iter().enumerate().rev() {
                if !self.is_nullable[routine] && self.firsts(start).returns {
                    self.is_nullable[routine] = true;
                    is_stable = false;
                }
            }
            if is_stable {
                return;
            }
        }
    }

    fn firsts(&mut self, start: StepId) -> Firsts {
        self.round += 1;
        let mut firsts = Firsts::default();
        let mut todo = vec![start];
        while let Some(step) = todo.pop() {
            if std::mem::replace(&mut self.seen[step as usize], self.round) == self.round {
                continue;
            }
            match &self.steps[step as usize] {
                Step::Return => firsts.returns = true,
                Step::Byte { .. } | Step::Token { .. } | Step::NotToken { .. } => firsts.leaves.push(step),
                Step::Split(choices) => todo.extend(choices),
                &Step::Call { routine, next } => {
                    firsts.calls.push((routine, next));
                    if self.is_nullable[routine as usize] {
                        todo.push(next);
                    }
                }
            }
        }
        firsts
    }
}
