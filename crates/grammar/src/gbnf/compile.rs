//! Rules to byte automata. Rules that do not refer to themselves become part of those that use them, so that only
//! true recursion needs a stack. Built from the end: each step is made when what follows is known.

use std::collections::HashMap;
use std::ops::Range;

use regex_syntax::hir::ClassUnicode;
use regex_syntax::utf8::Utf8Sequences;

use super::analyse::routines;
use super::ast::{Ast, Atom, Element, Name, RuleId};
use super::cycles::parts;
use super::parse::check;
use super::program::{ByteClasses, Program, RETURN, RoutineId, Step, StepId};
use crate::{Limits, Result};

/// A rule is copied to where it is used if that makes no more steps, and the whole is no larger than a share of its
/// limit by then; else it is called.
const MAX_INLINE: usize = 4096;
const INLINE_SHARE: usize = 4;

pub(super) fn compile(ast: &Ast, limits: &Limits) -> Result<Program> {
    let plan = Plan::new(ast);
    let mut fragments =
        Fragments { all: (0..ast.rules.len()).map(|_| None).collect(), plan: &plan, n_steps: 0 };
    for &rule in &plan.order {
        let mut builder = Builder::new(&fragments, limits);
        let start = builder.rule(&ast.rules[rule].alternatives)?;
        let fragment = Fragment { steps: builder.steps, start };
        fragments.n_steps += fragment.steps.len();
        fragments.all[rule] = Some(fragment);
    }
    let Linked { mut steps, starts, blocks, rules } = link(ast.root, &fragments);
    let name = |routine: RoutineId| ast.describe(rules[routine as usize]);
    let routines = routines(&mut steps, &starts, &blocks, name, limits)?;
    Ok(Program { bytes: ByteClasses::new(&steps), steps, routines })
}

/// Which rules are called, and the order in which rules can be built.
struct Plan {
    /// Rules without which no rule refers to itself.
    is_called: Vec<bool>,
    /// Each rule after those that become part of it.
    order: Vec<RuleId>,
}

impl Plan {
    /// After this many rounds of breaking cycles at one rule each, all rules in cycles are called.
    const N_ROUNDS: usize = 32;

    fn new(ast: &Ast) -> Self {
        let n = ast.rules.len();
        let uses: Vec<Vec<RuleId>> = (0..n).map(|rule| rules_used(ast, rule)).collect();
        let mut is_called = vec![false; n];
        for round in 0.. {
            let inner = |rule: RuleId| -> Vec<RuleId> {
                uses[rule].iter().copied().filter(|&used| !is_called[used]).collect()
            };
            let parts = parts(n, inner);
            let is_cycle = |part: &&Vec<RuleId>| part.len() > 1 || inner(part[0]).contains(&part[0]);
            let cycles: Vec<_> = parts.iter().filter(is_cycle).collect();
            if cycles.is_empty() {
                return Self { is_called, order: parts.into_iter().flatten().collect() };
            }
            let called: Vec<RuleId> = if round < Self::N_ROUNDS {
                cycles.iter().map(|cycle| most_used(ast, cycle, &inner)).collect()
            } else {
                cycles.into_iter().flatten().copied().collect()
            };
            for rule in called {
                is_called[rule] = true;
            }
        }
        unreachable!("each round calls one more rule of every cycle")
    }
}

fn rules_used(ast: &Ast, rule: RuleId) -> Vec<RuleId> {
    let elements = ast.rules[rule].alternatives.iter().flatten();
    let used = elements.filter_map(|element| match element.atom {
        Atom::Rule(used) => Some(used),
        _ => None,
    });
    used.collect()
}

/// The rule of a cycle that most rules of it refer to; one with a name, as every cycle has.
fn most_used(ast: &Ast, cycle: &[RuleId], uses: &impl Fn(RuleId) -> Vec<RuleId>) -> RuleId {
    let mut counts: HashMap<RuleId, usize> = cycle.iter().map(|&rule| (rule, 0)).collect();
    for &rule in cycle {
        for used in uses(rule) {
            counts.entry(used).and_modify(|count| *count += 1);
        }
    }
    let named = cycle.iter().copied().filter(|&rule| matches!(ast.rules[rule].name, Name::Defined(..)));
    named.max_by_key(|rule| (counts[rule], usize::MAX - rule)).expect("groups are used by their rule only")
}

/// A rule's automaton, with step numbers of its own.
struct Fragment {
    steps: Vec<Step>,
    start: StepId,
}

struct Fragments<'a> {
    all: Vec<Option<Fragment>>,
    plan: &'a Plan,
    n_steps: usize,
}

impl Fragments<'_> {
    /// The automaton to copy, if `n` copies of the rule that make no more than `n_most` steps are not to be calls.
    fn inline(&self, rule: RuleId, n: usize, n_most: usize) -> Option<&Fragment> {
        let fragment = self.all[rule].as_ref().filter(|_| !self.plan.is_called[rule])?;
        (fragment.steps.len().saturating_mul(n) <= n_most.min(MAX_INLINE)).then_some(fragment)
    }
}

struct Builder<'a> {
    steps: Vec<Step>,
    /// Byte steps by content: encodings of many characters end alike.
    shared: HashMap<(u8, u8, StepId), StepId>,
    fragments: &'a Fragments<'a>,
    limits: &'a Limits,
}

impl<'a> Builder<'a> {
    fn new(fragments: &'a Fragments<'a>, limits: &'a Limits) -> Self {
        Self { steps: vec![Step::Return], shared: HashMap::new(), fragments, limits }
    }

    fn rule(&mut self, alternatives: &[Vec<Element>]) -> Result<StepId> {
        let mut starts = Vec::with_capacity(alternatives.len());
        for sequence in alternatives {
            let mut next = RETURN;
            for element in sequence.iter().rev() {
                next = self.element(element, next)?;
            }
            starts.push(next);
        }
        self.split(starts)
    }

    fn element(&mut self, element: &Element, next: StepId) -> Result<StepId> {
        let &Element { ref atom, min, max } = element;
        let n_copies = max.unwrap_or(min + 1).max(1) as usize;
        let mut at = next;
        match max {
            None => {
                at = self.push(Step::Split(Box::default()))?;
                let body = self.atom(atom, n_copies, at)?;
                self.steps[at as usize] = Step::Split([body, next].into());
            }
            Some(max) => {
                for _ in min..max {
                    let body = self.atom(atom, n_copies, at)?;
                    at = self.split(vec![body, next])?;
                }
            }
        }
        for _ in 0..min {
            at = self.atom(atom, n_copies, at)?;
        }
        Ok(at)
    }

    fn atom(&mut self, atom: &Atom, n_copies: usize, next: StepId) -> Result<StepId> {
        match *atom {
            Atom::Text(ref text) => {
                text.bytes().rev().try_fold(next, |next, byte| self.byte((byte, byte), next))
            }
            Atom::Class(ref class) => self.class(class, next),
            Atom::Token(id) => self.push(Step::Token { id, next }),
            Atom::NotToken(id) => self.push(Step::NotToken { id, next }),
            Atom::Rule(rule) => match self.fragments.inline(rule, n_copies, self.room()) {
                Some(fragment) => self.copy(fragment, next),
                None => self.push(Step::Call { routine: rule as RoutineId, next }),
            },
        }
    }

    /// The bytes of any character of the class.
    fn class(&mut self, class: &ClassUnicode, next: StepId) -> Result<StepId> {
        let mut starts = Vec::new();
        for range in class.ranges() {
            for sequence in Utf8Sequences::new(range.start(), range.end()) {
                let mut ranges = sequence.as_slice().iter().rev();
                starts.push(ranges.try_fold(next, |next, range| self.byte((range.start, range.end), next))?);
            }
        }
        self.split(starts)
    }

    fn byte(&mut self, (low, high): (u8, u8), next: StepId) -> Result<StepId> {
        if let Some(&step) = self.shared.get(&(low, high, next)) {
            return Ok(step);
        }
        let step = self.push(Step::Byte { low, high, next })?;
        self.shared.insert((low, high, next), step);
        Ok(step)
    }

    fn split(&mut self, mut choices: Vec<StepId>) -> Result<StepId> {
        choices.sort_unstable();
        choices.dedup();
        match choices[..] {
            [only] => Ok(only),
            _ => self.push(Step::Split(choices.into())),
        }
    }

    fn copy(&mut self, fragment: &Fragment, next: StepId) -> Result<StepId> {
        let n_before = self.steps.len() as StepId;
        let moved = |step: StepId| if step == RETURN { next } else { step - 1 + n_before };
        for step in &fragment.steps[1..] {
            self.push(step.moved(moved))?;
        }
        Ok(moved(fragment.start))
    }

    /// How many steps may be copied.
    fn room(&self) -> usize {
        (self.limits.steps / INLINE_SHARE).saturating_sub(self.n_steps())
    }

    fn n_steps(&self) -> usize {
        self.fragments.n_steps + self.steps.len()
    }

    fn push(&mut self, step: Step) -> Result<StepId> {
        check("number of steps of the compiled grammar", self.n_steps() + 1, self.limits.steps)?;
        self.steps.push(step);
        Ok(self.steps.len() as StepId - 1)
    }
}

impl Step {
    /// The step with all that follow it renumbered.
    pub(super) fn moved(&self, moved: impl Fn(StepId) -> StepId) -> Self {
        match *self {
            Self::Return => Self::Return,
            Self::Byte { low, high, next } => Self::Byte { low, high, next: moved(next) },
            Self::Token { id, next } => Self::Token { id, next: moved(next) },
            Self::NotToken { id, next } => Self::NotToken { id, next: moved(next) },
            Self::Call { routine, next } => Self::Call { routine, next: moved(next) },
            Self::Split(ref choices) => Self::Split(choices.iter().copied().map(moved).collect()),
        }
    }
}

struct Linked {
    steps: Vec<Step>,
    /// Where each routine begins.
    starts: Vec<StepId>,
    /// The steps of each routine, but for [`RETURN`].
    blocks: Vec<Range<StepId>>,
    /// The rule of each routine.
    rules: Vec<RuleId>,
}

/// Puts the automata of the rules that are called together; calls name routines from here on.
fn link(root: RuleId, fragments: &Fragments<'_>) -> Linked {
    let mut linked =
        Linked { steps: vec![Step::Return], starts: Vec::new(), blocks: Vec::new(), rules: vec![root] };
    let mut routine_of = HashMap::from([(root, 0)]);
    while let Some(&rule) = linked.rules.get(linked.starts.len()) {
        let fragment = fragments.all[rule].as_ref().expect("every rule was built");
        let n_before = linked.steps.len() as StepId;
        let moved = |step: StepId| if step == RETURN { RETURN } else { step - 1 + n_before };
        for step in &fragment.steps[1..] {
            let mut step = step.moved(moved);
            if let Step::Call { routine, .. } = &mut step {
                let called = *routine as RuleId;
                *routine = *routine_of.entry(called).or_insert_with(|| {
                    linked.rules.push(called);
                    linked.rules.len() as RoutineId - 1
                });
            }
            linked.steps.push(step);
        }
        linked.starts.push(moved(fragment.start));
        linked.blocks.push(n_before..linked.steps.len() as StepId);
    }
    linked
}
