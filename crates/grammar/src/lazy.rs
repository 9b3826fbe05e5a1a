//! A constraint that waits: any text is allowed until a trigger appears in it, from which on the constraint holds.
//! Made for answers in which a tool call may begin anywhere.

use std::sync::Arc;

use regex_automata::hybrid::LazyStateID;
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::meta::Regex;
use regex_automata::nfa::thompson;
use regex_automata::util::{start, syntax};
use regex_automata::{Anchored, MatchKind};

use crate::{Constraint, Error, Result, TokenId, TokenSet, Vocabulary};

/// What ends the waiting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trigger {
    /// This token; the constraint begins with it.
    Token(TokenId),
    /// This text; the constraint begins with it.
    Word(String),
    /// A match of this regular expression anywhere in the text so far. The constraint begins where its first group
    /// that is not empty begins, or else the match.
    Pattern(String),
    /// As [`Self::Pattern`], but the match must be all of the text so far.
    FullPattern(String),
}

/// A constraint and what it waits for.
#[derive(Debug, Clone)]
pub struct Lazy {
    inner: Box<dyn Constraint>,
    vocabulary: Arc<Vocabulary>,
    triggers: Arc<Triggers>,
    search: Search,
    /// What was said while waiting, and where each token of it ends.
    text: Vec<u8>,
    waited: Vec<(TokenId, usize)>,
    /// Tokens accepted after the one that triggered; `None` while waiting.
    n_after: Option<usize>,
}

#[derive(Debug)]
struct Triggers {
    tokens: Vec<TokenId>,
    regexes: Vec<Regex>,
    /// All patterns as one automaton, so that each byte is read once.
    dfa: DFA,
}

/// A place of the automaton in the text.
#[derive(Debug, Clone)]
struct Search {
    cache: Cache,
    at: Place,
}

#[derive(Debug, Clone, Copy)]
enum Place {
    State(LazyStateID),
    Found,
    /// The automaton cannot go on: every token, the whole text is searched.
    Lost,
}

impl Lazy {
    /// Lets `inner` wait for the first of these triggers.
    ///
    /// # Errors
    /// [`Error::Trigger`] for a pattern that does not compile: look-around and back-references do not.
    pub fn new(
        inner: Box<dyn Constraint>,
        vocabulary: &Arc<Vocabulary>,
        triggers: &[Trigger],
    ) -> Result<Self> {
        let triggers = Arc::new(Triggers::new(triggers)?);
        let search = Search::new(&triggers.dfa);
        let vocabulary = Arc::clone(vocabulary);
        Ok(Self { inner, vocabulary, triggers, search, text: Vec::new(), waited: Vec::new(), n_after: None })
    }

    /// Whether no trigger was seen yet.
    pub fn is_waiting(&self) -> bool {
        self.n_after.is_none()
    }

    /// Feeds the constraint with what was said from `start` on.
    fn begin(&mut self, start: usize) -> Result<()> {
        let mut token_start = 0;
        for &(token, end) in &self.waited {
            if start <= token_start {
                self.inner.accept(token)?;
            } else if start < end {
                self.inner.accept_bytes(&self.text[start..end])?;
            }
            token_start = end;
        }
        self.n_after = Some(0);
        Ok(())
    }

    /// Where the constraint begins in the text, if a trigger is in it.
    fn find_start(&mut self, token: TokenId, token_start: usize) -> Option<usize> {
        if self.triggers.tokens.contains(&token) {
            return Some(token_start);
        }
        if !self.search.feed(&self.triggers.dfa, &self.text[token_start..]) {
            return None;
        }
        self.triggers.regexes.iter().find_map(|regex| {
            let mut captures = regex.create_captures();
            regex.captures(&self.text, &mut captures);
            let whole = captures.get_match()?;
            let group = captures.iter().skip(1).flatten().find(|group| !group.is_empty());
            Some(group.map_or(whole.start(), |group| group.start))
        })
    }

    /// Forgets all tokens but the first `n` of those it waited through, and waits again.
    fn wait_after(&mut self, n: usize) {
        self.waited.truncate(n);
        self.text.truncate(self.waited.last().map_or(0, |&(_, end)| end));
        self.search = Search::new(&self.triggers.dfa);
        self.search.feed(&self.triggers.dfa, &self.text);
        self.n_after = None;
    }
}

impl Constraint for Lazy {
    fn mask(&mut self) -> Result<Option<&TokenSet>> {
        if self.is_waiting() { Ok(None) } else { self.inner.mask() }
    }

    fn allows(&mut self, token: TokenId) -> Result<bool> {
        if self.is_waiting() { Ok(true) } else { self.inner.allows(token) }
    }

    fn accept(&mut self, token: TokenId) -> Result<()> {
        if let Some(n_after) = &mut self.n_after {
            self.inner.accept(token)?;
            *n_after += 1;
            return Ok(());
        }
        let n_tokens = self.vocabulary.n_tokens();
        let text = self.vocabulary.text(token).ok_or(Error::UnknownToken { token, n_tokens })?;
        let (n_waited, token_start) = (self.waited.len(), self.text.len());
        self.text.extend_from_slice(text);
        self.waited.push((token, self.text.len()));
        let Some(start) = self.find_start(token, token_start) else { return Ok(()) };
        self.begin(start).inspect_err(|_| self.wait_after(n_waited)).or_else(|error| {
            self.inner.reset()?;
            Err(error)
        })
    }

    fn accept_bytes(&mut self, bytes: &[u8]) -> Result<()> {
        match &mut self.n_after {
            Some(n_after) => {
                self.inner.accept_bytes(bytes)?;
                *n_after += 1;
                Ok(())
            }
            None => Err(Error::RefusedText { text: String::from_utf8_lossy(bytes).into_owned() }),
        }
    }

    fn is_complete(&self) -> bool {
        self.is_waiting() || self.inner.is_complete()
    }

    fn rollback(&mut self, n_tokens: usize) -> Result<()> {
        if let Some(n_after) = &mut self.n_after
            && n_tokens <= *n_after
        {
            self.inner.rollback(n_tokens)?;
            *n_after -= n_tokens;
            return Ok(());
        }
        let held = self.waited.len() + self.n_after.unwrap_or(0);
        let Some(n_left) = held.checked_sub(n_tokens) else {
            return Err(Error::Rollback { asked: n_tokens, held });
        };
        self.inner.reset()?;
        self.wait_after(n_left);
        Ok(())
    }

    fn reset(&mut self) -> Result<()> {
        self.inner.reset()?;
        self.wait_after(0);
        Ok(())
    }

    fn boxed_clone(&self) -> Box<dyn Constraint> {
        Box::new(self.clone())
    }
}

impl Triggers {
    fn new(triggers: &[Trigger]) -> Result<Self> {
        let (mut tokens, mut patterns) = (Vec::new(), Vec::new());
        for trigger in triggers {
            match trigger {
                Trigger::Token(token) => tokens.push(*token),
                Trigger::Word(word) => patterns.push(regex_syntax::escape(word)),
                Trigger::Pattern(pattern) => patterns.push(pattern.clone()),
                Trigger::FullPattern(pattern) => patterns.push(format!("^(?:{pattern})$")),
            }
        }
        // Texts may be cut within a character.
        let syntax = syntax::Config::new().utf8(false);
        let nfa = thompson::Config::new().utf8(false).nfa_size_limit(Some(1 << 20));
        let meta = Regex::config().utf8_empty(false).nfa_size_limit(Some(1 << 20));
        let compile = |pattern: &String| {
            let regex = Regex::builder().syntax(syntax).configure(meta.clone()).build(pattern);
            regex.map_err(|error| {
                let cause = error.syntax_error().map_or_else(|| error.to_string(), ToString::to_string);
                Error::Trigger { pattern: pattern.clone(), cause }
            })
        };
        let regexes = patterns.iter().map(compile).collect::<Result<_>>()?;
        let config = DFA::config().match_kind(MatchKind::All).unicode_word_boundary(true);
        let dfa = DFA::builder().syntax(syntax).thompson(nfa).configure(config).build_many(&patterns);
        let dfa =
            dfa.map_err(|error| Error::Trigger { pattern: patterns.join("|"), cause: error.to_string() })?;
        Ok(Self { tokens, regexes, dfa })
    }
}

impl Search {
    fn new(dfa: &DFA) -> Self {
        let mut cache = dfa.create_cache();
        let start = dfa.start_state(&mut cache, &start::Config::new().anchored(Anchored::No));
        let at = start.map_or(Place::Lost, Place::State);
        Self { cache, at }
    }

    /// Reads on; says whether there may be a match in all that was read.
    fn feed(&mut self, dfa: &DFA, text: &[u8]) -> bool {
        let Place::State(mut state) = self.at else { return true };
        for &byte in text {
            state = match dfa.next_state(&mut self.cache, state, byte) {
                Ok(next) if next.is_match() => return self.stop(Place::Found),
                // A dead state stays dead.
                Ok(next) if !next.is_quit() => next,
                _ => return self.stop(Place::Lost),
            };
        }
        self.at = Place::State(state);
        match dfa.next_eoi_state(&mut self.cache, state) {
            Ok(end) => end.is_match(),
            Err(_) => self.stop(Place::Lost),
        }
    }

    fn stop(&mut self, at: Place) -> bool {
        self.at = at;
        true
    }
}
