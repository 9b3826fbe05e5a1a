//! A byte for the kind; a JSON schema, regular expression or Lark grammar; NUL; and which tokens to write by it.
//! What is written by a schema is JSON.

use grammar::{Limits, Schema};
use serde_json::Value;

use super::walk;
use crate::input::Input;
use crate::small::PIECES;

pub(crate) fn run(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let kind = input.below(3);
    let text = String::from_utf8_lossy(input.until_nul()).into_owned();
    let limits = Limits::default();
    let constraint = match kind {
        0 => Schema::json_text(&text, &PIECES, &limits),
        1 => Schema::regex(&text, &PIECES, &limits),
        _ => Schema::lark(&text, &PIECES, &limits),
    };
    let Ok(mut constraint) = constraint else { return };
    let Some(written) = walk::write(&mut constraint, &PIECES, &mut input) else { return };
    if kind == 0 {
        check_json(&text, &written);
    }
}

fn check_json(schema: &str, written: &[u8]) {
    let Err(error) = serde_json::from_slice::<Value>(written) else { return };
    // Half of a surrogate pair, or more than a double can hold, is JSON by its grammar.
    let what = error.to_string();
    let is_beyond_grammar = ["surrogate", "escape", "out of range"].iter().any(|name| what.contains(name));
    assert!(is_beyond_grammar, "{schema}: {}: {error}", String::from_utf8_lossy(written));
}
