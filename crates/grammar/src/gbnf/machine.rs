//! Runs a program over bytes. A state is the set of all stacks that are possible, found once for each set and
//! remembered with its successors, so that texts of one shape cost a table look-up a byte. It knows no tokens.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use foldhash::fast::FixedState;
use indexmap::IndexSet;

use super::parse::check;
use super::program::{Program, RETURN, RoutineId, Step, StepId};
use super::stacks::{BOTTOM, DONE, Item, NONE, SetId, Stacks};
use crate::{Limits, Result};

/// Index of a state.
pub(super) type StateId = u32;

/// No byte and no token can follow, and the text is not complete.
pub(super) const DEAD: StateId = 0;

const UNKNOWN: StateId = StateId::MAX;

/// No answer, as NUL leads nowhere.
const UNASKED: u128 = u128::MAX;

/// A program with all states that were met.
#[derive(Debug, Clone)]
pub(super) struct Machine {
    program: Arc<Program>,
    stacks: Stacks,
    /// The stacks of each state, which have steps on top that read something, or nothing.
    states: IndexSet<SetId, FixedState>,
    /// Whether the text may end in the state.
    is_done: Vec<bool>,
    /// The ASCII bytes after which each state is where it was, by bits; [`UNASKED`] until asked for.
    loops: Vec<u128>,
    /// A row for each state: its successor for each class of bytes.
    successors: Vec<StateId>,
    /// The state that each set of stacks comes to without reading.
    settled: HashMap<SetId, StateId, FixedState>,
}

impl Machine {
    pub(super) fn new(program: Arc<Program>) -> Self {
        let mut machine = Self {
            program,
            stacks: Stacks::new(),
            states: IndexSet::default(),
            is_done: Vec::new(),
            loops: Vec::new(),
            successors: Vec::new(),
            settled: HashMap::default(),
        };
        assert_eq!(machine.state(NONE), DEAD);
        machine
    }

    /// The state before the first byte.
    pub(super) fn start(&mut self) -> StateId {
        let mut to_call = Calls::default();
        to_call.add(&self.program, &mut self.stacks, 0, RETURN, DONE);
        let mut items = Vec::new();
        if self.program.routines[0].is_nullable {
            items.push(Item { step: BOTTOM, below: NONE });
        }
        self.call(to_call, &mut items);
        let set = self.stacks.collect(&mut items);
        self.state(set)
    }

    /// The state after a byte.
    #[inline]
    pub(super) fn step(&mut self, state: StateId, byte: u8) -> StateId {
        let class = self.program.bytes.of(byte);
        let known = self.successors[state as usize * self.program.bytes.len() + class];
        if known == UNKNOWN { self.find_successor(state, class) } else { known }
    }

    /// The ASCII bytes after which the state is where it was, by bits.
    pub(super) fn loops(&mut self, state: StateId) -> u128 {
        let known = self.loops[state as usize];
        if known != UNASKED {
            return known;
        }
        let stays = |byte: &u8| self.step(state, *byte) == state;
        let loops = (1..=0x7F_u8).filter(stays).fold(0, |bits, byte| bits | 1 << byte);
        self.loops[state as usize] = loops;
        loops
    }

    /// The state after a token as a whole, by the literals that match it: by number any token, by exclusion those
    /// with a text that can be read.
    pub(super) fn step_token(&mut self, state: StateId, token: u32, is_readable: bool) -> StateId {
        let set = self.set(state);
        let follow = |item: &Item| match *self.program.step(item)? {
            Step::Token { id, next } if id == token => Some(Item { step: next, below: item.below }),
            Step::NotToken { id, next } if is_readable && id != token => {
                Some(Item { step: next, below: item.below })
            }
            _ => None,
        };
        let mut items: Vec<_> = self.stacks.items(set).iter().filter_map(follow).collect();
        let after = self.stacks.collect(&mut items);
        self.settle(after)
    }

    /// The state with the stacks of both.
    pub(super) fn union(&mut self, a: StateId, b: StateId) -> StateId {
        let union = self.stacks.union(self.set(a), self.set(b));
        self.state(union)
    }

    /// Whether the text may end in this state.
    #[inline]
    pub(super) fn is_done(&self, state: StateId) -> bool {
        self.is_done[state as usize]
    }

    /// The token literals that can come next.
    pub(super) fn literals(&self, state: StateId) -> impl Iterator<Item = Literal> + '_ {
        self.stacks.items(self.set(state)).iter().filter_map(|item| match *self.program.step(item)? {
            Step::Token { id, .. } => Some(Literal::Only(id)),
            Step::NotToken { id, .. } => Some(Literal::AllBut(id)),
            _ => None,
        })
    }

    /// The state taken apart by what lies below its tops: each part alone as if nothing lay below, and the state
    /// that follows when it returns; that is [`DEAD`] where there is truly nothing below.
    pub(super) fn frames(&mut self, state: StateId) -> Vec<(StateId, StateId)> {
        let mut items = self.stacks.items(self.set(state)).to_vec();
        items.retain(|item| item.step != BOTTOM);
        items.sort_unstable_by_key(|item| (item.below, item.step));
        let mut frames = Vec::new();
        for frame in items.chunk_by(|a, b| a.below == b.below) {
            let alone: Vec<_> = frame.iter().map(|item| Item { step: item.step, below: DONE }).collect();
            let set = self.stacks.intern(&alone);
            let alone = self.state(set);
            let below = frame[0].below;
            frames.push((alone, if below == DONE { DEAD } else { self.settle(below) }));
        }
        frames
    }

    /// Items that were looked at since this was last called.
    pub(super) fn take_work(&mut self) -> usize {
        std::mem::take(&mut self.stacks.work)
    }

    /// Stops where one token took too much.
    #[inline]
    pub(super) fn check(&self, limits: &Limits) -> Result<()> {
        check("work for one token", self.stacks.work, limits.work)?;
        check("memory for the states of the grammar in bytes", self.size_bytes(), 2 * limits.memory_bytes)
    }

    /// Rough size of what is remembered.
    pub(super) fn size_bytes(&self) -> usize {
        self.stacks.size_bytes() + self.successors.len() * size_of::<StateId>() + self.settled.len() * 16
    }

    /// Forgets all but these states, and renumbers them.
    pub(super) fn forget_all_but<'a>(&mut self, kept: impl IntoIterator<Item = &'a mut StateId>) {
        let mut fresh = Self::new(self.program.clone());
        let mut moved = HashMap::from([(NONE, NONE), (DONE, DONE)]);
        for state in kept {
            let set = self.stacks.copy_to(self.set(*state), &mut fresh.stacks, &mut moved);
            *state = fresh.state(set);
        }
        *self = fresh;
    }

    #[cold]
    fn find_successor(&mut self, state: StateId, class: usize) -> StateId {
        let byte = self.program.bytes.example(class);
        let set = self.set(state);
        let follow = |item: &Item| match *self.program.step(item)? {
            Step::Byte { low, high, next } if low <= byte && byte <= high => {
                Some(Item { step: next, below: item.below })
            }
            _ => None,
        };
        let before = self.stacks.items(set);
        let n_items = before.len();
        let mut items: Vec<_> = before.iter().filter_map(follow).collect();
        self.stacks.work += n_items;
        let after = self.stacks.collect(&mut items);
        let successor = self.settle(after);
        self.successors[state as usize * self.program.bytes.len() + class] = successor;
        successor
    }

    /// The state that these stacks come to without reading: returning, branching, calling.
    fn settle(&mut self, set: SetId) -> StateId {
        if let Some(&known) = self.settled.get(&set) {
            return known;
        }
        let mut settled = Vec::new();
        let mut calls = Calls::default();
        let mut seen: HashSet<Item, FixedState> = HashSet::default();
        let mut todo = self.stacks.items(set).to_vec();
        let program = Arc::clone(&self.program);
        while let Some(item) = todo.pop() {
            if !seen.insert(item) {
                continue;
            }
            self.stacks.work += 1;
            let Item { step, below } = item;
            match program.step(&item) {
                None | Some(Step::Byte { .. } | Step::Token { .. } | Step::NotToken { .. }) => {
                    settled.push(item);
                }
                Some(Step::Split(choices)) => todo.extend(choices.iter().map(|&step| Item { step, below })),
                Some(Step::Return) => todo.extend_from_slice(self.stacks.items(below)),
                Some(&Step::Call { routine, next }) => {
                    if program.routines[routine as usize].is_nullable {
                        todo.push(Item { step: next, below });
                    }
                    calls.add(&program, &mut self.stacks, routine, next, below);
                }
            }
            debug_assert!(step != BOTTOM || below == NONE);
        }
        self.call(calls, &mut settled);
        let all = self.stacks.collect(&mut settled);
        let state = self.state(all);
        self.settled.insert(set, state);
        state
    }

    /// Adds what routines begin with. Those that call come before those that are called, so each is done once, with
    /// all that may lie below it.
    fn call(&mut self, mut calls: Calls, settled: &mut Vec<Item>) {
        let program = Arc::clone(&self.program);
        while let Some((routine, below)) = calls.pop(&mut self.stacks) {
            let routine = &program.routines[routine as usize];
            self.stacks.work += routine.leaves.len() + routine.calls.len();
            settled.extend(routine.leaves.iter().map(|&step| Item { step, below }));
            for &(callee, next) in &routine.calls {
                calls.add(&program, &mut self.stacks, callee, next, below);
            }
        }
    }

    fn set(&self, state: StateId) -> SetId {
        *self.states.get_index(state as usize).expect("states are never dropped alone")
    }

    /// The state of these stacks, which have all come to steps that read.
    fn state(&mut self, set: SetId) -> StateId {
        let (state, is_new) = self.states.insert_full(set);
        if is_new {
            let last = self.stacks.items(set).last();
            self.is_done.push(last.is_some_and(|item| item.step == BOTTOM));
            self.loops.push(UNASKED);
            let n_classes = self.program.bytes.len();
            self.successors.resize(self.successors.len() + n_classes, UNKNOWN);
        }
        state as StateId
    }
}

/// A token literal.
#[derive(Debug, Clone, Copy)]
pub(super) enum Literal {
    Only(u32),
    AllBut(u32),
}

/// Routines to be called, by rank, with what lies below.
#[derive(Default)]
struct Calls(BTreeMap<(u32, RoutineId), Below>);

/// What lies below a call: where calls go on, and what lies below those that go on nowhere.
struct Below {
    items: Vec<Item>,
    rest: SetId,
}

impl Calls {
    fn add(
        &mut self,
        program: &Program,
        stacks: &mut Stacks,
        routine: RoutineId,
        next: StepId,
        below: SetId,
    ) {
        let rank = program.routines[routine as usize].rank;
        let all = self.0.entry((rank, routine)).or_insert_with(|| Below { items: Vec::new(), rest: NONE });
        if next == RETURN {
            all.rest = stacks.union(all.rest, below);
        } else {
            all.items.push(Item { step: next, below });
        }
    }

    /// The next routine, and the set of all that lies below it.
    fn pop(&mut self, stacks: &mut Stacks) -> Option<(RoutineId, SetId)> {
        let ((_, routine), mut below) = self.0.pop_first()?;
        let items = stacks.collect(&mut below.items);
        Some((routine, stacks.union(items, below.rest)))
    }
}

impl Program {
    /// The step on top; `None` for no top.
    fn step(&self, item: &Item) -> Option<&Step> {
        if item.step == BOTTOM { None } else { Some(&self.steps[item.step as usize]) }
    }
}
