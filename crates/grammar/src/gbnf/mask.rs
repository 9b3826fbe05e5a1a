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
    /// Nodes of the trie at which the top may be through, so that what lies below goes on.
    ends: Vec<u32>,
}

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
        let mut tokens = TokenSet::empty(vocabulary.n_tokens());
        for (alone, below) in machine.frames(state) {
            let alone = self.alone(alone, machine, vocabulary, limits)?;
            tokens.union_with(&alone.tokens);
            if below == DEAD {
                continue;
            }
            for &node in &alone.ends {
                self.walk(node as usize, below, machine, vocabulary, limits, |node, _| {
                    insert_all(&mut tokens, vocabulary, node);
                })?;
            }
        }
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
        let mut ends = Vec::new();
        self.walk(0, state, machine, vocabulary, limits, |node, is_done| {
            insert_all(&mut tokens, vocabulary, node);
            if is_done {
                ends.push(node as u32);
            }
        })?;
        self.keep(tokens.size_bytes() + size_of_val(ends.as_slice()));
        let alone = Arc::new(Alone { tokens, ends });
        self.alone.insert(state, Arc::clone(&alone));
        Ok(alone)
    }

    /// Visits the nodes below `root` that the machine reaches from `state`, and says where it may be done.
    fn walk(
        &mut self,
        root: usize,
        state: StateId,
        machine: &mut Machine,
        vocabulary: &Vocabulary,
        limits: &Limits,
        mut visit: impl FnMut(usize, bool),
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
            let state = machine.step(self.path[depth - 1], node.byte);
            if state == DEAD {
                at = node.end as usize;
                continue;
            }
            visit(at, machine.is_done(state));
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

fn insert_all(tokens: &mut TokenSet, vocabulary: &Vocabulary, node: usize) {
    for &token in vocabulary.tokens_at(node) {
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
