//! Left recursion taken out of routines. A text of a routine that can begin with itself is one that begins otherwise,
//! and then, any number of times, what can follow the routine where it begins itself: a loop and no call.

use std::collections::HashMap;
use std::ops::Range;

use super::analyse::Firsts;
use super::parse::check;
use super::program::{RETURN, RoutineId, Step, StepId};
use crate::{Limits, Result};

/// What `goal` begins with when it calls none of `part` at its beginning: the routines that can begin with each
/// other, it among them.
///
/// A text of the goal begins as that of some routine of the part, whose end is the beginning of another's, up to the
/// goal's. So the steps of all are copied, and where a routine returns, those go on that can begin with it.
pub(super) fn unrolled(
    goal: RoutineId,
    part: &[usize],
    steps: &mut Vec<Step>,
    blocks: &[Range<StepId>],
    firsts: &[Firsts],
    limits: &Limits,
) -> Result<Firsts> {
    let ids = steps.len() as StepId..;
    let after: HashMap<usize, StepId> = part.iter().copied().zip(ids).collect();
    steps.resize(steps.len() + part.len(), Step::Return);
    let mut going_on: HashMap<usize, Vec<StepId>> = part.iter().map(|&member| (member, Vec::new())).collect();
    going_on.entry(goal as usize).or_default().push(RETURN);
    let mut unrolled = Firsts::default();
    for &member in part {
        let block = blocks[member].clone();
        check("number of steps of the compiled grammar", steps.len() + block.len(), limits.steps)?;
        let n_before = steps.len() as StepId;
        let moved =
            |step: StepId| if step == RETURN { after[&member] } else { step - block.start + n_before };
        for at in block.clone() {
            let step = match steps[at as usize] {
                // The goal's own end is followed by no more than what it goes on with by itself: no stack grows.
                Step::Call { routine, next: RETURN } if routine == goal && member == goal as usize => {
                    Step::Call { routine, next: RETURN }
                }
                ref step => step.moved(moved),
            };
            steps.push(step);
        }
        unrolled.leaves.extend(firsts[member].leaves.iter().copied().map(moved));
        for &(callee, next) in &firsts[member].calls {
            match going_on.get_mut(&(callee as usize)) {
                Some(going_on) => going_on.push(moved(next)),
                None => unrolled.calls.push((callee, moved(next))),
            }
        }
    }
    for (member, choices) in going_on {
        steps[after[&member] as usize] = Step::Split(choices.into());
    }
    Ok(unrolled)
}
