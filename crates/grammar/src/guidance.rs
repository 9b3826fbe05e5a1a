//! JSON schemas, regular expressions and Lark grammars through the `llguidance` crate, behind our interface and our
//! limits. What it cannot enforce is an error before the first token; it never goes on unconstrained.

use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use llguidance::api::TopLevelGrammar;
use llguidance::toktrie::{ApproximateTokEnv, InferenceCapabilities, SimpleVob, TokEnv, TokRxInfo, TokTrie};
use llguidance::{Matcher, ParserFactory};
use serde_json::Value;

use crate::formats::narrow;
use crate::{Constraint, Error, Limits, Result, TokenId, TokenSet, Vocabulary};

/// Stack of the thread that compiles; enough for [`Limits::depth`] without optimization. Only what is used is taken.
const STACK_BYTES: usize = 64 << 20;

/// Follows one text through a JSON schema, a regular expression or a Lark grammar.
pub struct Schema {
    matcher: Matcher,
    vocabulary: Arc<Vocabulary>,
    mask: Option<TokenSet>,
    is_complete: bool,
    /// For each token accepted, how many the engine was given: none for the end of the text.
    n_given: Vec<usize>,
}

/// The vocabulary as llguidance wants it, and what it found out about it.
pub(crate) struct Guidance {
    factory: Result<Mutex<ParserFactory>>,
}

impl Schema {
    /// Texts that are JSON of this schema.
    ///
    /// # Errors
    /// [`Error::Unenforceable`] for keywords that cannot be enforced; [`Error::Limit`].
    pub fn json(schema: &Value, vocabulary: &Arc<Vocabulary>, limits: &Limits) -> Result<Self> {
        check_json(schema, limits)?;
        let mut schema = schema.clone();
        narrow(&mut schema);
        let grammar = TopLevelGrammar::from_json_schema(schema);
        Self::new("JSON schema", grammar, vocabulary)
    }

    /// Texts that are JSON of the schema in this text.
    ///
    /// # Errors
    /// As [`Self::json`], and where the text is no JSON.
    pub fn json_text(schema: &str, vocabulary: &Arc<Vocabulary>, limits: &Limits) -> Result<Self> {
        check_text(schema, limits)?;
        let schema: Value = serde_json::from_str(schema)
            .map_err(|cause| Error::Unenforceable { kind: "JSON schema", cause: cause.to_string() })?;
        Self::json(&schema, vocabulary, limits)
    }

    /// Texts that match the whole of a regular expression, in the syntax of Rust's `regex`.
    ///
    /// # Errors
    /// [`Error::Unenforceable`] where it does not parse or looks around; [`Error::Limit`].
    pub fn regex(pattern: &str, vocabulary: &Arc<Vocabulary>, limits: &Limits) -> Result<Self> {
        check_text(pattern, limits)?;
        check_regex(pattern)?;
        Self::new("regular expression", TopLevelGrammar::from_regex(pattern), vocabulary)
    }

    /// Texts of a grammar in llguidance's variant of Lark.
    ///
    /// # Errors
    /// [`Error::Unenforceable`] where it does not parse; [`Error::Limit`].
    pub fn lark(text: &str, vocabulary: &Arc<Vocabulary>, limits: &Limits) -> Result<Self> {
        check_text(text, limits)?;
        Self::new("Lark grammar", TopLevelGrammar::from_lark(text.to_owned()), vocabulary)
    }

    fn new(kind: &'static str, grammar: TopLevelGrammar, vocabulary: &Arc<Vocabulary>) -> Result<Self> {
        let factory = vocabulary.guidance().factory.as_ref().map_err(Clone::clone)?;
        let factory = factory.lock().unwrap_or_else(PoisonError::into_inner);
        let matcher = on_large_stack(|| compile(&factory, grammar));
        let mut matcher = matcher.map_err(|cause| Error::Unenforceable { kind, cause })?;
        if let [cause, ..] = &matcher.grammar_warnings()[..] {
            return Err(Error::Unenforceable { kind, cause: cause.clone() });
        }
        let vocabulary = Arc::clone(vocabulary);
        let mut schema = Self { matcher, vocabulary, mask: None, is_complete: false, n_given: Vec::new() };
        schema.moved()?;
        Ok(schema)
    }

    /// After every change of the place in the text.
    fn moved(&mut self) -> Result<()> {
        self.mask = None;
        self.is_complete = self.matcher.is_stopped() || self.matcher.is_accepting().map_err(engine)?;
        Ok(())
    }
}

impl Constraint for Schema {
    fn mask(&mut self) -> Result<Option<&TokenSet>> {
        if self.mask.is_none() {
            let allowed = self.matcher.compute_mask_or_eos().map_err(engine)?;
            let mut tokens = token_set(&allowed, self.vocabulary.n_tokens());
            for &token in self.vocabulary.eog() {
                if self.is_complete { tokens.insert(token) } else { tokens.remove(token) }
            }
            if tokens.is_empty() {
                return Err(Error::DeadEnd);
            }
            self.mask = Some(tokens);
        }
        Ok(self.mask.as_ref())
    }

    fn allows(&mut self, token: TokenId) -> Result<bool> {
        let n_tokens = self.vocabulary.n_tokens();
        if token as usize >= n_tokens {
            return Err(Error::UnknownToken { token, n_tokens });
        }
        if self.vocabulary.is_eog(token) {
            return Ok(self.is_complete);
        }
        Ok(!self.matcher.is_stopped() && self.matcher.validate_tokens(&[token]).map_err(engine)? == 1)
    }

    fn accept(&mut self, token: TokenId) -> Result<()> {
        if !self.allows(token)? {
            return Err(crate::gbnf::refused(token, &self.vocabulary));
        }
        let is_end = self.vocabulary.is_eog(token);
        if !is_end {
            self.matcher.consume_token(token).map_err(engine)?;
        }
        self.n_given.push(usize::from(!is_end));
        self.moved()
    }

    fn accept_bytes(&mut self, bytes: &[u8]) -> Result<()> {
        let refused = || Error::RefusedText { text: String::from_utf8_lossy(bytes).into_owned() };
        let env = self.matcher.tok_env().map_err(engine)?;
        let tokens = env.tok_trie().greedy_tokenize(bytes);
        let n_bytes: usize = tokens.iter().map(|&token| env.tok_trie().token_len(token)).sum();
        let is_whole = n_bytes == bytes.len();
        if !is_whole || self.matcher.validate_tokens(&tokens).map_err(engine)? != tokens.len() {
            return Err(refused());
        }
        self.matcher.consume_tokens(&tokens).map_err(engine)?;
        self.n_given.push(tokens.len());
        self.moved()
    }

    fn is_complete(&self) -> bool {
        self.is_complete
    }

    fn rollback(&mut self, n_tokens: usize) -> Result<()> {
        let held = self.n_given.len();
        if n_tokens > held {
            return Err(Error::Rollback { asked: n_tokens, held });
        }
        let n_given = self.n_given.drain(held - n_tokens..).sum();
        self.matcher.rollback(n_given).map_err(engine)?;
        self.moved()
    }

    fn reset(&mut self) -> Result<()> {
        self.rollback(self.n_given.len())
    }

    fn boxed_clone(&self) -> Box<dyn Constraint> {
        Box::new(self.clone())
    }
}

impl Clone for Schema {
    fn clone(&self) -> Self {
        Self {
            matcher: self.matcher.deep_clone(),
            vocabulary: Arc::clone(&self.vocabulary),
            mask: self.mask.clone(),
            is_complete: self.is_complete,
            n_given: self.n_given.clone(),
        }
    }
}

impl std::fmt::Debug for Schema {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Schema").field("n_tokens", &self.n_given.len()).finish_non_exhaustive()
    }
}

impl Guidance {
    pub(crate) fn new(vocabulary: &Vocabulary) -> Self {
        Self { factory: factory(vocabulary).map(Mutex::new) }
    }
}

impl std::fmt::Debug for Guidance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Guidance")
    }
}

/// A matcher, or why there is none.
fn compile(factory: &ParserFactory, grammar: TopLevelGrammar) -> Result<Matcher, String> {
    let parser = panic::catch_unwind(AssertUnwindSafe(|| factory.create_parser(grammar)));
    let parser = parser.map_err(|_| "its compiler panicked".to_owned())?;
    let matcher = Matcher::new(Ok(parser.map_err(|cause| cause.to_string())?));
    matcher.get_error().map_or(Ok(matcher), Err)
}

/// Compilers of schemas call themselves for what is nested, more deeply than the stack of a usual thread allows.
fn on_large_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let worker = thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work);
        let worker = worker.expect("the system has room for a thread");
        worker.join().unwrap_or_else(|panic| panic::resume_unwind(panic))
    })
}

fn factory(vocabulary: &Vocabulary) -> Result<ParserFactory> {
    let unusable = |cause: &str| Error::Engine { cause: cause.to_owned() };
    let [eos, ..] = *vocabulary.eog() else {
        return Err(unusable(
            "the vocabulary has no token that ends a text, so a schema could never be left",
        ));
    };
    let n_tokens = vocabulary.n_tokens() as u32;
    let words: Vec<_> = (0..n_tokens).map(|token| word(vocabulary, token)).collect();
    let trie = TokTrie::from(&TokRxInfo::new(n_tokens, eos), &words).with_eos_tokens(vocabulary.eog());
    let env: TokEnv = Arc::new(ApproximateTokEnv::new(trie));
    let slices = llguidance::earley::SlicedBiasComputer::general_slices();
    let mut factory = ParserFactory::new(&env, InferenceCapabilities::default(), &slices)
        .map_err(|cause| unusable(&cause.to_string()))?;
    factory.quiet();
    factory.limits_mut().verbose_errors = false;
    Ok(factory)
}

/// The text of a token; a byte that is in no text marks those that control the model.
fn word(vocabulary: &Vocabulary, token: TokenId) -> Vec<u8> {
    let text = vocabulary.text(token).unwrap_or_default();
    if vocabulary.is_control(token) || vocabulary.is_eog(token) {
        return [&[TokTrie::SPECIAL_TOKEN_MARKER], text].concat();
    }
    if text.contains(&TokTrie::SPECIAL_TOKEN_MARKER) || text.contains(&0) {
        return Vec::new();
    }
    text.to_vec()
}

fn token_set(allowed: &SimpleVob, n_tokens: usize) -> TokenSet {
    let mut tokens = TokenSet::empty(n_tokens);
    allowed.iter_set_entries(|token| {
        if token < n_tokens {
            tokens.insert(token as TokenId);
        }
    });
    tokens
}

/// llguidance says the same in six lines.
fn check_regex(pattern: &str) -> Result<()> {
    let Err(error) = regex_syntax::ast::parse::Parser::new().parse(pattern) else { return Ok(()) };
    let character = 1 + pattern.char_indices().take_while(|(at, _)| *at < error.span().start.offset).count();
    let cause = format!("{} at character {character}", error.kind());
    Err(Error::Unenforceable { kind: "regular expression", cause })
}

fn check_text(text: &str, limits: &Limits) -> Result<()> {
    let (found, limit) = (text.len(), limits.text_bytes);
    if found > limit {
        return Err(Error::Limit { what: "length of the text in bytes", found, limit });
    }
    let mut depth = 0usize;
    for byte in text.bytes() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        check_depth(depth, limits)?;
    }
    Ok(())
}

/// Compilers of schemas call themselves for values within values.
fn check_json(schema: &Value, limits: &Limits) -> Result<()> {
    let mut todo = vec![(schema, 1)];
    let mut size = 0;
    while let Some((value, depth)) = todo.pop() {
        check_depth(depth, limits)?;
        size += 8;
        match value {
            Value::Array(items) => todo.extend(items.iter().map(|item| (item, depth + 1))),
            Value::Object(members) => {
                size += members.keys().map(String::len).sum::<usize>();
                todo.extend(members.values().map(|member| (member, depth + 1)));
            }
            Value::String(text) => size += text.len(),
            _ => {}
        }
        if size > 4 * limits.text_bytes {
            return Err(Error::Limit {
                what: "size of the schema",
                found: size,
                limit: 4 * limits.text_bytes,
            });
        }
    }
    Ok(())
}

fn check_depth(found: usize, limits: &Limits) -> Result<()> {
    let limit = limits.depth;
    if found > limit { Err(Error::Limit { what: "depth of nesting", found, limit }) } else { Ok(()) }
}

fn engine(cause: impl std::fmt::Display) -> Error {
    Error::Engine { cause: cause.to_string() }
}
