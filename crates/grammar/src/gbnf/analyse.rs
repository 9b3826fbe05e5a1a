//! What can come first in each routine: whether it has the empty text, and which steps and calls it begins with; no
//! routine calls itself before it read something.

use std::ops::Range;

use super::cycles::parts;
use super::program::{RETURN, Routine, RoutineId, Step, StepId};
use super::recursion::unrolled;
use crate::{Error, Limits, Result};

/// Describes the routines that begin at `starts`, each of one block of the steps; `name` names one in words. Left
/// recursion is taken out, which adds steps.
pub(super) fn routines(
    steps: &mut Vec<Step>,
    starts: &[StepId],
    blocks: &[Range<StepId>],
    name: impl Fn(RoutineId) -> String,
    limits: &Limits,
) -> Result<Vec<Routine>> {
    let nullable = nullable(steps, starts);
    let is_nullable: Vec<bool> = starts.iter().map(|&start| nullable[start as usize]).collect();
    let mut search = Search { steps, is_nullable: &is_nullable, seen: vec![0; steps.len()], round: 0 };
    let firsts: Vec<Firsts> = starts.iter().map(|&start| search.firsts(start)).collect();
    let called = |routine: usize| firsts[routine].calls.iter().map(|&(callee, _)| callee as usize).collect();
    let mut routines: Vec<Option<Routine>> = starts.iter().map(|_| None).collect();
    for (rank, part) in (0..).zip(parts(starts.len(), called).iter().rev()) {
        let is_recursive =
            part.len() > 1 || firsts[part[0]].calls.iter().any(|call| call.0 as usize == part[0]);
        for &routine in part {
            let Firsts { leaves, calls } = if is_recursive {
                unrolled(routine as RoutineId, part, steps, blocks, &firsts, limits)?
            } else {
                firsts[routine].clone()
            };
            let is_nullable = is_nullable[routine];
            if is_recursive && leaves.is_empty() && calls.is_empty() && !is_nullable {
                return Err(Error::NoBeginning { rule: name(routine as RoutineId) });
            }
            routines[routine] = Some(Routine { is_nullable, rank, leaves, calls });
        }
    }
    Ok(routines.into_iter().map(|routine| routine.expect("each is in one part")).collect())
}

/// For each step whether a routine can return from there without reading. Found backwards from where they return, so
/// that each step is looked at a few times only.
fn nullable(steps: &[Step], starts: &[StepId]) -> Vec<bool> {
    let mut users: Vec<Vec<StepId>> = vec![Vec::new(); steps.len()];
    for (user, step) in (0..).zip(steps) {
        match step {
            Step::Split(choices) => choices.iter().for_each(|&choice| users[choice as usize].push(user)),
            &Step::Call { routine, next } => {
                users[next as usize].push(user);
                users[starts[routine as usize] as usize].push(user);
            }
            _ => {}
        }
    }
    let mut nullable = vec![false; steps.len()];
    let mut todo = vec![RETURN];
    while let Some(step) = todo.pop() {
        if std::mem::replace(&mut nullable[step as usize], true) {
            continue;
        }
        todo.extend(users[step as usize].iter().filter(|&&user| match steps[user as usize] {
            Step::Call { routine, next } => {
                nullable[starts[routine as usize] as usize] && nullable[next as usize]
            }
            _ => true,
        }));
    }
    nullable
}

struct Search<'a> {
    steps: &'a [Step],
    is_nullable: &'a [bool],
    /// The last round in which a step was seen.
    seen: Vec<u32>,
    round: u32,
}

/// What is reached from a step before anything is read.
#[derive(Debug, Clone, Default)]
pub(super) struct Firsts {
    pub(super) leaves: Vec<StepId>,
    pub(super) calls: Vec<(RoutineId, StepId)>,
}

impl Search<'_> {
    fn firsts(&mut self, start: StepId) -> Firsts {
        self.round += 1;
        let mut firsts = Firsts::default();
        let mut todo = vec![start];
        while let Some(step) = todo.pop() {
            if std::mem::replace(&mut self.seen[step as usize], self.round) == self.round {
                continue;
            }
            match &self.steps[step as usize] {
                Step::Return => {}
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
