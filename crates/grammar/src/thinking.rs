//! What a model thinks before it answers: free of the constraint on the answer, and ended after so many tokens if
//! there is a limit. Knows the tags of thinking as tokens only.

use std::sync::Arc;

use crate::{Constraint, Error, Result, TokenId, TokenSet, Vocabulary};

/// The tags around thinking, as tokens, and how much of it there may be.
#[derive(Debug, Clone, Default)]
pub struct Thoughts {
    /// What begins it.
    pub start: Vec<TokenId>,
    /// What ends it.
    pub end: Vec<TokenId>,
    /// What is said to end it where it is too long, before `end`.
    pub message: Vec<TokenId>,
    /// The most tokens of it; as many as the model likes if absent.
    pub budget: Option<usize>,
    /// The prompt has begun it.
    pub is_open: bool,
}

/// A constraint on the answer that leaves the thinking before it alone, and a limit on that.
#[derive(Debug, Clone)]
pub struct Thinking {
    inner: Option<Box<dyn Constraint>>,
    vocabulary: Arc<Vocabulary>,
    thoughts: Arc<Thoughts>,
    place: Place,
    /// All tokens so far.
    tokens: Vec<TokenId>,
    /// All tokens but those that end a text.
    unended: Arc<TokenSet>,
    /// The one token that is forced.
    forced: TokenSet,
}

/// No character has more, nor takes more tokens.
const CHARACTER_BYTES_MAX: usize = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Outside,
    /// So many tokens of it have come.
    Inside(usize),
    /// So many tokens of what ends it have been forced.
    Ending(usize),
}

impl Thinking {
    /// Lets `inner` hold where the model does not think.
    pub fn new(inner: Option<Box<dyn Constraint>>, vocabulary: &Arc<Vocabulary>, thoughts: Thoughts) -> Self {
        let forced = TokenSet::empty(vocabulary.n_tokens());
        let mut unended = forced.clone();
        let answers = (0..vocabulary.n_tokens() as TokenId).filter(|&token| !vocabulary.is_eog(token));
        answers.for_each(|token| unended.insert(token));
        let unended = Arc::new(unended);
        let thoughts = Arc::new(thoughts);
        let vocabulary = Arc::clone(vocabulary);
        let place = Place::Outside;
        let mut new = Self { inner, vocabulary, thoughts, place, tokens: Vec::new(), unended, forced };
        new.place = new.begin();
        new
    }

    fn begin(&self) -> Place {
        if self.thoughts.is_open { self.inside(0) } else { Place::Outside }
    }

    /// A limit that is reached within a character waits for the rest of it, but not for ever.
    fn inside(&self, n: usize) -> Place {
        let Some(n_over) = self.thoughts.budget.and_then(|budget| n.checked_sub(budget)) else {
            return Place::Inside(n);
        };
        let waits = n_over < CHARACTER_BYTES_MAX && self.is_within_character();
        if waits { Place::Inside(n) } else { Place::Ending(0) }
    }

    fn is_within_character(&self) -> bool {
        let last = &self.tokens[self.tokens.len().saturating_sub(CHARACTER_BYTES_MAX)..];
        let text: Vec<u8> =
            last.iter().flat_map(|&token| self.vocabulary.text(token).unwrap_or_default()).copied().collect();
        let start = text.iter().rposition(|byte| !(0x80..0xC0).contains(byte));
        start.is_some_and(|start| {
            let end = std::str::from_utf8(&text[start..]);
            end.is_err_and(|error| error.error_len().is_none())
        })
    }

    fn forced(&self, n: usize) -> Option<TokenId> {
        self.thoughts.message.iter().chain(&self.thoughts.end).nth(n).copied()
    }

    /// Where the text is after one more token, which is the last of `tokens`.
    fn after(&self, place: Place) -> Place {
        let has_come = |tag: &[TokenId]| !tag.is_empty() && self.tokens.ends_with(tag);
        match place {
            Place::Outside if has_come(&self.thoughts.start) => self.inside(0),
            Place::Outside => Place::Outside,
            Place::Inside(_) if has_come(&self.thoughts.end) => Place::Outside,
            Place::Inside(n) => self.inside(n + 1),
            Place::Ending(n) if self.forced(n + 1).is_none() => Place::Outside,
            Place::Ending(n) => Place::Ending(n + 1),
        }
    }

    /// Reads everything anew.
    fn replay(&mut self, tokens: Vec<TokenId>) -> Result<()> {
        self.reset()?;
        tokens.into_iter().try_for_each(|token| self.accept(token))
    }
}

impl Constraint for Thinking {
    fn mask(&mut self) -> Result<Option<&TokenSet>> {
        match self.place {
            Place::Outside => match &mut self.inner {
                Some(inner) => inner.mask(),
                None => Ok(None),
            },
            Place::Inside(_) if self.inner.is_none() => Ok(None),
            // The answer is still to come, so the text cannot end here.
            Place::Inside(_) => Ok(Some(&self.unended)),
            Place::Ending(n) => {
                let token = self.forced(n).ok_or(Error::DeadEnd)?;
                self.forced.clear();
                self.forced.insert(token);
                Ok(Some(&self.forced))
            }
        }
    }

    fn allows(&mut self, token: TokenId) -> Result<bool> {
        let n_tokens = self.vocabulary.n_tokens();
        if token as usize >= n_tokens {
            return Err(Error::UnknownToken { token, n_tokens });
        }
        match (self.place, &mut self.inner) {
            (Place::Outside, Some(inner)) => inner.allows(token),
            (Place::Outside, None) => Ok(true),
            (Place::Inside(_), inner) => Ok(inner.is_none() || !self.vocabulary.is_eog(token)),
            (Place::Ending(n), _) => Ok(self.forced(n) == Some(token)),
        }
    }

    fn accept(&mut self, token: TokenId) -> Result<()> {
        if !self.allows(token)? {
            return Err(crate::gbnf::refused(token, &self.vocabulary));
        }
        if let (Place::Outside, Some(inner)) = (self.place, &mut self.inner) {
            inner.accept(token)?;
        }
        self.tokens.push(token);
        self.place = self.after(self.place);
        Ok(())
    }

    fn accept_bytes(&mut self, bytes: &[u8]) -> Result<()> {
        match (self.place, &mut self.inner) {
            (Place::Outside, Some(inner)) => inner.accept_bytes(bytes),
            _ => Err(Error::RefusedText { text: String::from_utf8_lossy(bytes).into_owned() }),
        }
    }

    fn is_complete(&self) -> bool {
        match (self.place, &self.inner) {
            (_, None) => !matches!(self.place, Place::Ending(_)),
            (Place::Outside, Some(inner)) => inner.is_complete(),
            _ => false,
        }
    }

    fn rollback(&mut self, n_tokens: usize) -> Result<()> {
        let held = self.tokens.len();
        let Some(n_left) = held.checked_sub(n_tokens) else {
            return Err(Error::Rollback { asked: n_tokens, held });
        };
        let tokens = self.tokens[..n_left].to_vec();
        self.replay(tokens)
    }

    fn reset(&mut self) -> Result<()> {
        self.tokens.clear();
        self.place = self.begin();
        self.inner.as_mut().map_or(Ok(()), |inner| inner.reset())
    }

    fn boxed_clone(&self) -> Box<dyn Constraint> {
        Box::new(self.clone())
    }
}
