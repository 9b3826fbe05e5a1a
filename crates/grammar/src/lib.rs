//! Grammars: which tokens may come next. It knows no model, no sampler and no tokenizer: a vocabulary is a list of
//! texts here.
//!
//! A [`Constraint`] follows one text. [`Matcher`] is the one of GBNF grammars, by an exact engine of our own;
//! [`Schema`] is the one of JSON schemas, regular expressions and Lark grammars, by llguidance; [`Lazy`] lets either
//! wait for a trigger, [`Thinking`] for the end of what a model thinks. What cannot be enforced is an error when the constraint is made, never an unconstrained text.
//!
//! ```
//! use grammar::{Constraint, Grammar, Matcher, Token, Vocabulary};
//!
//! let texts = ["", "y", "ye", "es", "no", "maybe"];
//! let tokens = texts.iter().map(|text| Token { text: text.as_bytes(), is_control: false });
//! let vocabulary = Vocabulary::new(tokens, &[0]);
//!
//! let mut matcher = Matcher::new(&Grammar::new(r#"root ::= "yes" | "no""#)?, &vocabulary)?;
//! let allowed = matcher.mask()?.expect("a grammar always constrains");
//! assert_eq!(allowed.iter().collect::<Vec<_>>(), [1, 2, 4]);
//! matcher.accept(1)?;
//! matcher.accept(3)?;
//! assert!(matcher.is_complete());
//! # Ok::<(), grammar::Error>(())
//! ```

mod constraint;
mod error;
mod formats;
mod gbnf;
mod guidance;
mod lazy;
mod limits;
mod thinking;
mod token_set;
mod vocabulary;

pub use constraint::Constraint;
pub use error::{Error, Result};
pub use gbnf::{FindToken, Grammar, Matcher};
pub use guidance::Schema;
pub use lazy::{Lazy, Trigger};
pub use limits::Limits;
pub use thinking::{Thinking, Thoughts};
pub use token_set::TokenSet;
pub use vocabulary::{Token, Vocabulary};

/// Index of a token in the vocabulary.
pub type TokenId = u32;
