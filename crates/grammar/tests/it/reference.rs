//! Grammars and texts made at random, and what llama.cpp's engine (`llama_grammar_init_impl`, `llama_grammar_accept`)
//! says of them: what it reads is read, but for evident mistakes, and the same texts are of the grammar. What it refuses
//! is refused here too; left out are grammars that it takes for left-recursive, which are read here.

use std::fs;
use std::path::Path;

use grammar::{Constraint, Error, Grammar, Matcher, TokenId};
use serde_json::Value;

use crate::support::pieces;

/// What llama.cpp reads and ours refuses, as nobody can mean it.
const MISTAKES: [&str; 3] = ["is backwards", "the class is empty", "is not a Unicode character"];

#[test]
fn llama_cpp_reads_and_accepts_the_same() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let rows = fs::read_to_string(folder.join("reference.jsonl")).expect("test data");
    let vocabulary = pieces();
    let mut n_texts = 0;
    for row in rows.lines() {
        let row: Value = serde_json::from_str(row).expect("a row is JSON");
        let grammar = row["grammar"].as_str().expect("a grammar");
        let is_read = row["parses"].as_bool().expect("a verdict");
        let mut matcher = match Grammar::new(grammar).and_then(|grammar| Matcher::new(&grammar, &vocabulary))
        {
            Ok(_) if !is_read => panic!("llama.cpp refuses {grammar}"),
            Ok(matcher) => matcher,
            Err(_) if !is_read => continue,
            Err(error) => {
                let error = error.to_string();
                assert!(MISTAKES.iter().any(|what| error.contains(what)), "{grammar}: {error}");
                continue;
            }
        };
        for (key, expected) in [("yes", true), ("no", false)] {
            for text in row[key].as_array().expect("texts").iter().filter_map(Value::as_str) {
                n_texts += 1;
                assert_eq!(has(&mut matcher, text), expected, "{text:?} by {grammar}");
            }
        }
    }
    assert!(n_texts > 2_000, "only {n_texts} texts");
}

fn has(matcher: &mut Matcher, text: &str) -> bool {
    matcher.reset().expect("a matcher can start again");
    let accepts = |byte: u8| match matcher.accept(1 + TokenId::from(byte)) {
        Ok(()) => true,
        Err(Error::Refused { .. }) => false,
        Err(other) => panic!("{text:?}: {other}"),
    };
    text.bytes().all(accepts) && matcher.is_complete()
}
