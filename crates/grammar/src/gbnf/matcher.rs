//! A text in the making, held against a grammar token by token.

use std::collections::VecDeque;
use std::sync::Arc;

use super::Grammar;
use super::machine::{DEAD, Machine, StateId};
use super::mask::Masks;
use super::program::Step;
use crate::{Constraint, Error, Result, TokenId, TokenSet, Vocabulary};

/// Follows one text through a grammar.
///
/// What it learns about the grammar it keeps, within [`crate::Limits::memory_bytes`]; a clone knows it too, so clone
/// a matcher that was used for the next text of the same grammar, and [`Constraint::reset`] it.
#[derive(Debug, Clone)]
pub struct Matcher {
    grammar: Grammar,
    vocabulary: Arc<Vocabulary>,
    machine: Machine,
    masks: Masks,
    /// The state before the first token and after each of the last; never empty.
    states: VecDeque<StateId>,
    /// The state before the first token.
    start: StateId,
    mask: Option<Arc<TokenSet>>,
}

impl Matcher {
    /// Begins a text.
    ///
    /// # Errors
    /// [`Error::EndToken`] and [`Error::UnknownToken`] for token literals that this vocabulary cannot match;
    /// [`Error::Limit`] if already the beginning is too ambiguous.
    pub fn new(grammar: &Grammar, vocabulary: &Arc<Vocabulary>) -> Result<Self> {
        for step in &grammar.program.steps {
            match *step {
                Step::Token { id, .. } | Step::NotToken { id, .. }
                    if id as usize >= vocabulary.n_tokens() =>
                {
                    return Err(Error::UnknownToken { token: id, n_tokens: vocabulary.n_tokens() });
                }
                Step::Token { id, .. } if vocabulary.is_eog(id) => return Err(Error::EndToken { token: id }),
                _ => {}
            }
        }
        let mut machine = Machine::new(Arc::clone(&grammar.program));
        let start = machine.start();
        machine.check(&grammar.limits)?;
        Ok(Self {
            grammar: grammar.clone(),
            vocabulary: Arc::clone(vocabulary),
            machine,
            masks: Masks::default(),
            states: VecDeque::from([start]),
            start,
            mask: None,
        })
    }

    fn state(&self) -> StateId {
        *self.states.back().expect("the states are never empty")
    }

    /// Keeps memory and work of the next token within their limits.
    fn begin(&mut self) {
        self.machine.take_work();
        let budget = self.grammar.limits.memory_bytes;
        if self.machine.size_bytes() > budget / 2 || self.masks.size_bytes() > budget / 2 {
            self.masks.forget();
            self.mask = None;
            self.machine.forget_all_but(self.states.iter_mut().chain([&mut self.start]));
        }
    }

    /// The state after a token that does not end the text; dead where it must not follow.
    fn after(&mut self, token: TokenId) -> Result<StateId> {
        let n_tokens = self.vocabulary.n_tokens();
        let vocabulary = Arc::clone(&self.vocabulary);
        let text = vocabulary.text(token).ok_or(Error::UnknownToken { token, n_tokens })?;
        let is_readable = !text.is_empty() && !text.contains(&0);
        let by_text = if is_readable { self.after_bytes(text)? } else { DEAD };
        let state = self.state();
        if self.machine.literals(state).next().is_none() {
            return Ok(by_text);
        }
        let by_literal = self.machine.step_token(state, token, is_readable);
        let after = self.machine.union(by_text, by_literal);
        self.machine.check(&self.grammar.limits)?;
        Ok(after)
    }

    fn after_bytes(&mut self, bytes: &[u8]) -> Result<StateId> {
        let mut state = self.state();
        for &byte in bytes {
            state = self.machine.step(state, byte);
            self.machine.check(&self.grammar.limits)?;
        }
        Ok(state)
    }

    fn push(&mut self, state: StateId) {
        self.mask = None;
        self.states.push_back(state);
        if self.states.len() > 2 * self.grammar.limits.rollback + 1 {
            self.states.drain(..self.grammar.limits.rollback);
        }
    }
}

impl Constraint for Matcher {
    fn mask(&mut self) -> Result<Option<&TokenSet>> {
        self.begin();
        if self.mask.is_none() {
            let state = self.state();
            let limits = &self.grammar.limits;
            let mask = self.masks.of(state, &mut self.machine, &self.vocabulary, limits)?;
            if mask.is_empty() {
                return Err(Error::DeadEnd);
            }
            self.mask = Some(mask);
        }
        Ok(self.mask.as_deref())
    }

    fn allows(&mut self, token: TokenId) -> Result<bool> {
        self.begin();
        if self.vocabulary.is_eog(token) {
            return Ok(self.is_complete());
        }
        Ok(self.after(token)? != DEAD)
    }

    fn accept(&mut self, token: TokenId) -> Result<()> {
        self.begin();
        let after = if self.vocabulary.is_eog(token) {
            if self.is_complete() { self.state() } else { DEAD }
        } else {
            self.after(token)?
        };
        if after == DEAD {
            return Err(refused(token, &self.vocabulary));
        }
        self.push(after);
        Ok(())
    }

    fn accept_bytes(&mut self, bytes: &[u8]) -> Result<()> {
        self.begin();
        match self.after_bytes(bytes)? {
            DEAD => Err(Error::RefusedText { text: String::from_utf8_lossy(bytes).into_owned() }),
            after => {
                self.push(after);
                Ok(())
            }
        }
    }

    fn is_complete(&self) -> bool {
        self.machine.is_done(self.state())
    }

    fn rollback(&mut self, n_tokens: usize) -> Result<()> {
        let held = self.states.len() - 1;
        if n_tokens > held {
            return Err(Error::Rollback { asked: n_tokens, held });
        }
        self.states.truncate(self.states.len() - n_tokens);
        self.mask = None;
        Ok(())
    }

    fn reset(&mut self) -> Result<()> {
        self.states = VecDeque::from([self.start]);
        self.mask = None;
        Ok(())
    }

    fn boxed_clone(&self) -> Box<dyn Constraint> {
        Box::new(self.clone())
    }
}

pub(crate) fn refused(token: TokenId, vocabulary: &Vocabulary) -> Error {
    let text = vocabulary.text(token).unwrap_or_default();
    Error::Refused { token, text: String::from_utf8_lossy(text).into_owned() }
}
