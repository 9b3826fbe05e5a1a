//! From the flags on the form of an answer to the constraint that enforces it.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use grammar::{Constraint, Grammar, Limits, Matcher, Schema, Vocabulary};
use tokenizer::Tokenizer;

use crate::args::GrammarArgs;
use crate::text_file;

/// The constraint at its beginning; none if the answer is free.
///
/// # Errors
/// If it cannot be enforced. Nothing has been generated then.
pub(super) fn constraint(
    args: &GrammarArgs,
    tokenizer: &Tokenizer,
    vocabulary: &Arc<Vocabulary>,
) -> Result<Option<Box<dyn Constraint>>> {
    let limits = Limits::default();
    let gbnf = |text: &str| -> Result<Box<dyn Constraint>> {
        let find = |text: &str| tokenizer.vocab().find(text);
        let grammar = Grammar::with_tokens(text, &find, &limits)?;
        Ok(Box::new(Matcher::new(&grammar, vocabulary)?))
    };
    let json = |text: &str| -> Result<Box<dyn Constraint>> {
        Ok(Box::new(Schema::json_text(text, vocabulary, &limits)?))
    };
    Ok(Some(match args {
        GrammarArgs { grammar: Some(text), .. } => gbnf(text).with_context(|| flag("--grammar", text))?,
        GrammarArgs { grammar_file: Some(path), .. } => {
            gbnf(&text_file::read(path)?).with_context(|| name(path))?
        }
        GrammarArgs { json_schema: Some(text), .. } => {
            json(text).with_context(|| flag("--json-schema", text))?
        }
        GrammarArgs { json_schema_file: Some(path), .. } => {
            json(&text_file::read(path)?).with_context(|| name(path))?
        }
        GrammarArgs { regex: Some(pattern), .. } => {
            Box::new(Schema::regex(pattern, vocabulary, &limits).context("--regex")?)
        }
        _ => return Ok(None),
    }))
}

/// The flag of a text that is wrong, which may be the name of a file.
fn flag(flag: &str, text: &str) -> String {
    if Path::new(text).is_file() {
        format!("{flag} takes the text itself, {flag}-file takes {text}")
    } else {
        flag.to_owned()
    }
}

fn name(path: &Path) -> String {
    path.display().to_string()
}
