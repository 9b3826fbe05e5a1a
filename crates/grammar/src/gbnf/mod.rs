//! GBNF, the grammar notation of llama.cpp, by an exact engine of our own: parsed ([`parse`]), compiled to byte
//! automata that call each other ([`compile`]), run over sets of stacks ([`machine`]), and asked for the tokens that
//! may come next ([`mask`]).

mod analyse;
mod ast;
mod compile;
mod cursor;
mod cycles;
mod machine;
mod mask;
mod matcher;
mod parse;
mod program;
mod recursion;
mod stacks;

use std::sync::Arc;

pub use matcher::Matcher;
pub(crate) use matcher::refused;
pub use parse::FindToken;

use crate::{Limits, Result};
use program::Program;

/// A GBNF grammar, ready to be matched. Cheap to clone.
///
/// The notation: `name ::= alternatives`, one rule to a line but for groups and after `|`; `"text"` and `[class]`
/// with the escapes `\x \u \U \t \r \n \\ \" \[ \] \-`; `.` for any character; `( )`, `* + ? {m} {m,} {m,n}`;
/// `<[123]>` for a token by number, `<text>` for one by its text, with its angle brackets, and `!` before either for
/// any other token; `#` begins a comment. The text begins with the rule `root`.
///
/// It differs from llama.cpp only in refusing what that takes and cannot mean: a rule defined twice, an empty class,
/// a range that is backwards, NUL; and in taking some that it does not: repetitions of what may be empty, and rules
/// that begin with themselves.
#[derive(Debug, Clone)]
pub struct Grammar {
    program: Arc<Program>,
    limits: Arc<Limits>,
}

impl Grammar {
    /// Reads and compiles a grammar without tokens by text.
    ///
    /// # Errors
    /// As [`Self::with_tokens`]; `<text>` is an error.
    pub fn new(text: &str) -> Result<Self> {
        Self::with_tokens(text, &|_| None, &Limits::default())
    }

    /// Reads and compiles a grammar. `find_token` says which token a text such as `<think>` is, if it is exactly
    /// one: a tokenizer's answer, or [`crate::Vocabulary::find`].
    ///
    /// # Errors
    /// [`crate::Error::Syntax`], [`crate::Error::UndefinedRule`], [`crate::Error::NoRoot`],
    /// [`crate::Error::NoBeginning`], or [`crate::Error::Limit`] where it is too large for `limits`.
    pub fn with_tokens(text: &str, find_token: &FindToken<'_>, limits: &Limits) -> Result<Self> {
        let ast = parse::parse(text, find_token, limits)?;
        let program = Arc::new(compile::compile(&ast, limits)?);
        Ok(Self { program, limits: Arc::new(limits.clone()) })
    }
}
