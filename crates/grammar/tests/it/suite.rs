//! The JSON Schema Test Suite (draft 2020-12): a schema is refused by an error, or what it allows is what it says.

use std::fs;

use grammar::{Constraint, Error, Limits, Schema, TokenId};
use jsonschema::Validator;
use serde_json::Value;

use crate::support::{Chance, pieces, walk};

/// Schemas of the suite that are enforced; the others are refused.
const N_ENFORCED: usize = 164;
/// Random texts of each.
const N_TEXTS: usize = 20;

/// The schemas with their instances, and where they stand.
fn groups() -> Vec<(String, Value)> {
    let folder = testkit::cached("schemas/type.json").parent().expect("a folder").to_owned();
    let mut paths: Vec<_> = fs::read_dir(folder)
        .expect("a readable folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    let read = |path| -> Vec<Value> {
        serde_json::from_slice(&fs::read(path).expect("a readable file")).expect("groups of tests")
    };
    let title =
        |path: &std::path::Path, group: &Value| format!("{}: {}", path.display(), group["description"]);
    paths.iter().flat_map(|path| read(path).into_iter().map(|group| (title(path, &group), group))).collect()
}

#[test]
fn schemas_of_the_suite() {
    let vocabulary = pieces();
    let mut chance = Chance(11);
    let (mut n_enforced, mut n_whole) = (0, 0);
    for (title, group) in groups() {
        let schema = &group["schema"];
        let mut constraint = match Schema::json(schema, &vocabulary, &Limits::default()) {
            Ok(constraint) => constraint,
            Err(Error::Unenforceable { .. }) => continue,
            Err(error) => panic!("{title}: {error}"),
        };
        n_enforced += 1;
        let options = jsonschema::options().should_validate_formats(true);
        let validator = options.build(schema).unwrap_or_else(|error| panic!("{title}: {error}"));
        for test in group["tests"].as_array().expect("tests") {
            check_instance(&title, &mut constraint, &validator, test);
        }
        for _ in 0..N_TEXTS {
            constraint.reset().expect("it can start again");
            let Some(text) = walk(&mut constraint, &vocabulary, &mut chance, 40, |_, _| {}) else { continue };
            n_whole += usize::from(check_text(&title, &validator, &text));
        }
    }
    assert_eq!(n_enforced, N_ENFORCED, "say so in bench/record/grammar.md");
    assert!(n_whole > 2_000, "only {n_whole} texts came to an end");
}

/// Nothing invalid is allowed. What is valid is allowed in one of the ways to write it; formats are enforced here, where
/// the suite only notes them.
fn check_instance(title: &str, constraint: &mut Schema, validator: &Validator, test: &Value) {
    let data = &test["data"];
    let is_allowed = has(constraint, data);
    if test["valid"] == false {
        assert!(!is_allowed, "{title}: {data} is invalid");
    } else if validator.is_valid(data) {
        let is_allowed = is_allowed || has(constraint, &whole(data)) || has(constraint, &reversed(data));
        assert!(is_allowed, "{title}: {data} is valid");
    }
}

fn has(constraint: &mut Schema, data: &Value) -> bool {
    constraint.reset().expect("it can start again");
    let mut tokens = data.to_string().into_bytes().into_iter().map(|byte| 1 + TokenId::from(byte));
    tokens.all(|token| constraint.accept(token).is_ok()) && constraint.is_complete()
}

/// The value with `1.0` written as `1`: constants and integers are allowed in one form only.
fn whole(data: &Value) -> Value {
    match data {
        Value::Number(number) => match number.as_f64() {
            Some(float) if float.fract() == 0.0 && float.abs() < 1e18 => Value::from(float as i64),
            _ => data.clone(),
        },
        Value::Array(items) => items.iter().map(whole).collect(),
        _ => data.clone(),
    }
}

/// The value with its members in the other order: they are allowed in the order of the schema only.
fn reversed(data: &Value) -> Value {
    match data {
        Value::Object(members) if members.len() == 3 => {
            // Two that are declared, and one that is not and so comes last.
            let [a, b, c] = [0, 1, 2].map(|i| members.iter().nth(i).expect("three members"));
            [b, a, c].into_iter().map(|(key, value)| (key.clone(), value.clone())).collect()
        }
        Value::Object(members) => {
            members.iter().rev().map(|(key, value)| (key.clone(), value.clone())).collect()
        }
        _ => data.clone(),
    }
}

/// Whether the text could be judged; then it is valid.
fn check_text(title: &str, validator: &Validator, text: &[u8]) -> bool {
    let shown = String::from_utf8_lossy(text);
    match serde_json::from_str::<Value>(&shown) {
        // More digits than the judge reads: what it would judge is another number.
        Ok(value) if is_rounded(&value, &shown) => false,
        Ok(value) => {
            assert!(validator.is_valid(&value), "{title}: {shown}");
            true
        }
        // Half of a surrogate pair, or more than a double can hold, is JSON by its grammar.
        Err(error) => {
            let error = error.to_string();
            let is_beyond = ["surrogate", "escape", "out of range"].iter().any(|what| error.contains(what));
            assert!(is_beyond, "{title}: {shown}: {error}");
            false
        }
    }
}

/// Whether the whole text is an integer that was read as a double.
fn is_rounded(value: &Value, text: &str) -> bool {
    value.is_f64() && text.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit())
}
