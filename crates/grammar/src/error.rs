//! What can go wrong. Every limit that is hit says what was found and what is allowed.

use crate::TokenId;

/// Shorthand for results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a grammar is refused, or a token is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text of a GBNF grammar breaks off or does not parse.
    #[error("grammar, line {line}, column {column}: {what}")]
    Syntax {
        /// Counted from 1.
        line: usize,
        /// Counted in characters from 1.
        column: usize,
        /// What is wrong and what was expected.
        what: String,
    },
    /// A name is used that no rule defines.
    #[error("grammar, line {line}: rule `{name}` is used but never defined")]
    UndefinedRule {
        /// The name.
        name: String,
        /// Where it is used first.
        line: usize,
    },
    /// The rule to start with is missing.
    #[error("grammar has no rule `root`: the text begins with that rule, so define it")]
    NoRoot,
    /// A rule can begin with nothing but itself.
    #[error(
        "grammar: {rule} can begin only with itself, directly or through other rules, so no text is ever of it: \
         give it an alternative that begins otherwise"
    )]
    NoBeginning {
        /// The rule, with its line.
        rule: String,
    },
    /// A token literal names a token that ends the text.
    #[error(
        "grammar: token literal {token} ends the generation and can never be followed or matched: leave it out, \
         the end is allowed wherever the grammar is complete"
    )]
    EndToken {
        /// The token.
        token: TokenId,
    },
    /// A number over its limit.
    #[error(
        "grammar: {what}: {found} is over the limit of {limit}; simplify the grammar, or raise the limit"
    )]
    Limit {
        /// What is limited.
        what: &'static str,
        /// The number found; where counting stopped, the first number over the limit.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// A schema, regular expression or Lark grammar that cannot be enforced.
    #[error("{kind} cannot be enforced: {cause}")]
    Unenforceable {
        /// `JSON schema`, `regular expression` or `Lark grammar`.
        kind: &'static str,
        /// What the compiler says.
        cause: String,
    },
    /// A trigger pattern that does not compile.
    #[error("trigger pattern `{pattern}`: {cause}")]
    Trigger {
        /// The pattern.
        pattern: String,
        /// What the regex compiler says.
        cause: String,
    },
    /// Nothing may follow, not even the end.
    #[error(
        "the grammar is at a dead end: no token of the vocabulary continues the text, and it is not complete"
    )]
    DeadEnd,
    /// A token that must not come here.
    #[error("token {token} ({text:?}) does not continue a text of the grammar")]
    Refused {
        /// The token.
        token: TokenId,
        /// Its text, with bytes that are no characters replaced.
        text: String,
    },
    /// A text that must not come here.
    #[error("{text:?} does not continue a text of the grammar")]
    RefusedText {
        /// The text, with bytes that are no characters replaced.
        text: String,
    },
    /// A token outside the vocabulary.
    #[error("token {token} is outside the vocabulary of {n_tokens} tokens")]
    UnknownToken {
        /// The token.
        token: TokenId,
        /// Size of the vocabulary.
        n_tokens: usize,
    },
    /// More tokens to take back than are remembered.
    #[error("cannot take back {asked} tokens: {held} are remembered")]
    Rollback {
        /// How many were to be taken back.
        asked: usize,
        /// How many can be.
        held: usize,
    },
    /// The engine behind a schema stopped.
    #[error("the constraint failed: {cause}")]
    Engine {
        /// What it says.
        cause: String,
    },
}
