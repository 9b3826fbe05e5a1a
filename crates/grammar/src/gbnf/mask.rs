//! Which tokens can follow in a state: a walk of the vocabulary's trie in step with the machine, cut where the machine
//! dies. What a walk finds is remembered twice: for the whole state, and for the tops of its stacks alone, as the same
//! rule comes again and again above something else.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::FixedState;

use super::machine::{DEAD, Literal, Machine, StateId};
use crate::{Limits, Result, TokenSet, Vocabulary};

/// Masks that were computed, within a budget.
#[derive(Debug, Clone, Default)]
pub(super) struct Masks {
    whole: HashMap<StateId, Arc<TokenSet>, FixedState>,
    alone: HashMap<StateId, Arc<Alone>, FixedState>,
    size_bytes: usize,
    /// The state at each depth of the walk.
    path: Vec<StateId>,
}

/// What the top of a stack allows, whatever lies below.
#[derive(Debug)]
struct Alone {
    tokens: TokenSet,
    /// Nodes of the trie at which the top may be through, so that what lies below goes on; `None` for too many.
    ends: Option<Vec<u32>>,
}

/// With more places than this at which the tops of stacks may be through, whole stacks are walked instead.
const MAX_ENDS: usize = 8192;

/// Below a node with more nodes than this it is asked whether the machine stays where it is.
const MIN_SKIPPED: usize = 16;

/// How often a walk looks whether it takes too long, in nodes.
const CHECK_EVERY: usize = 256;

impl Masks {
    /// The tokens that can follow, those that end the text included.
    pub(super) fn of(
        &mut self,
        state: StateId,
        machine: &mut Machine,
        vocabulary: &Vocabulary,
        limits: &Limits,
    ) -> Result<Arc<TokenSet>> {
        if let Some(known) = self.whole.get(&state) {
            return Ok(Arc::clone(known));
        }
        let mut tokens = self.by_text(state, machine, vocabulary, limits)?;
        for literal in machine.literals(state) {
            insert_literal(&mut tokens, vocabulary, literal);
        }
        if machine.is_done(state) {
            vocabulary.eog().iter().for_each(|&token| tokens.insert(token));
        }
        let tokens = Arc::new(tokens);
        self.keep(tokens.size_bytes());
        self.whole.insert(state, Arc::clone(&tokens));
        Ok(tokens)
    }

    /// Bytes of the masks.
    pub(super) fn size_bytes(&self) -> usize {
        self.size_bytes
    }

    /// States are renumbered: nothing that is known holds any more.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// The tokens whose text can follow.
    fn by_text(
        &mut self,
        state: StateId,
        machine: &mut Machine,
        vocabulary: &Vocabulary,
        limits: &Limits,
    ) -> Result<TokenSet> {
        let mut tokens = TokenSet::empty(vocabulary.n_tokens());
        for (alone, below) in machine.frames(state) {
            let alone = self.alone(alone, machine, vocabulary, limits)?;
            tokens.union_with(&alone.tokens);
            if below == DEAD {
                continue;
            }
            let Some(ends) = &alone.ends else {
                let insert = |seen| insert_all(&mut tokens, vocabulary, seen);
                self.walk(0, state, machine, vocabulary, limits, insert)?;
                return Ok(tokens);
            };
            for &node in ends {
                let insert = |seen| insert_all(&mut tokens, vocabulary, seen);
                self.walk(node as usize, below, machine, vocabulary, limits, insert)?;
            }
        }
        Ok(tokens)
    }

    fn alone(
        &mut self,
        state: StateId,
        machine: &mut Machine,
        vocabulary: &Vocabulary,
        limits: &Limits,
    ) -> Result<Arc<Alone>> {
        if let Some(known) = self.alone.get(&state) {
            return Ok(Arc::clone(known));
        }
        let mut tokens = TokenSet::empty(vocabulary.n_tokens());
        let mut ends = Some(Vec::new());
        self.walk(0, state, machine, vocabulary, limits, |seen| {
            insert_all(&mut tokens, vocabulary, seen);
            if let Some(some) = &mut ends
                && seen.is_done
            {
                some.extend(seen.nodes(vocabulary));
                ends.take_if(|some| some.len() > MAX_ENDS);
            }
        })?;
        self.keep(tokens.size_bytes() + ends.as_ref().map_or(0, |ends| size_of_val(ends.as_slice())));
        let alone = Arc::new(Alone { tokens, ends });
        self.alone.insert(state, Arc::clone(&alone));
        Ok(alone)
    }

    /// Visits the nodes below `root` that the machine reaches from `state`.
    fn walk(
        &mut self,
        root: usize,
        state: StateId,
        machine: &mut Machine,
        vocabulary: &Vocabulary,
        limits: &Limits,
        mut visit: impl FnMut(Seen),
    ) -> Result<()> {
        let nodes = vocabulary.nodes();
        let base = nodes[root].depth as usize;
        let (mut at, end) = (root + 1, nodes[root].end as usize);
        self.path.clear();
        self.path.push(state);
        let mut n_visited = 0;
        while at < end {
            let node = nodes[at];
            let depth = node.depth as usize - base;
            let before = self.path[depth - 1];
            let state = machine.step(before, node.byte);
            if state == DEAD {
                at = node.end as usize;
                continue;
            }
            let is_done = machine.is_done(state);
            let n_below = node.end as usize - at;
            if state == before
                && n_below > MIN_SKIPPED
                && vocabulary.bytes_below(at) & !machine.loops(state) == 0
            {
                visit(Seen { node: at, with_all_below: true, is_done });
                at = node.end as usize;
                continue;
            }
            visit(Seen { node: at, with_all_below: false, is_done });
            self.path.truncate(depth);
            self.path.push(state);
            at += 1;
            n_visited += 1;
            if n_visited % CHECK_EVERY == 0 {
                machine.check(limits)?;
            }
        }
        machine.check(limits)
    }

    fn keep(&mut self, size_bytes: usize) {
        self.size_bytes += size_bytes;
    }
}

/// A place that the machine reaches.
#[derive(Debug, Clone, Copy)]
struct Seen {
    node: usize,
    /// All below are reached too, and are alike.
    with_all_below: bool,
    /// Whether the machine may be through there.
    is_done: bool,
}

impl Seen {
    fn nodes(self, vocabulary: &Vocabulary) -> std::ops::Range<u32> {
        let after =
            if self.with_all_below { vocabulary.nodes()[self.node].end } else { self.node as u32 + 1 };
        self.node as u32..after
    }
}

fn insert_all(tokens: &mut TokenSet, vocabulary: &Vocabulary, seen: Seen) {
    let reached = match seen.with_all_below {
        true => vocabulary.tokens_within(seen.node),
        false => vocabulary.tokens_at(seen.node),
    };
    for &token in reached {
        tokens.insert(token);
    }
}

fn insert_literal(tokens: &mut TokenSet, vocabulary: &Vocabulary, literal: Literal) {
    match literal {
        Literal::Only(token) if (token as usize) < vocabulary.n_tokens() => tokens.insert(token),
        Literal::Only(_) => {}
        Literal::AllBut(excluded) => {
            for &token in vocabulary.readable().iter().filter(|&&token| token != excluded) {
                tokens.insert(token);
            }
        }
    }
}
