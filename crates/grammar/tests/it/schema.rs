//! JSON schemas, regular expressions and Lark grammars: what is written validates, what cannot be enforced is refused.

use std::sync::Arc;
use std::time::{Duration, Instant};

use grammar::{Constraint, Error, Limits, Schema, TokenId, Vocabulary};
use serde_json::Value;

use crate::support::{Chance, pieces, walk};

/// One schema for each keyword that can be enforced, and some together.
const SCHEMAS: [&str; 25] = [
    "{}",
    r#"{"type": "null"}"#,
    r#"{"type": ["boolean", "integer"]}"#,
    r#"{"type": "integer", "minimum": -7, "maximum": 120}"#,
    r#"{"type": "integer", "exclusiveMinimum": 3, "maximum": 100000, "multipleOf": 5}"#,
    r#"{"type": "number", "exclusiveMinimum": 0.5, "maximum": 12.25}"#,
    r#"{"type": "string", "minLength": 2, "maxLength": 6}"#,
    r#"{"type": "string", "pattern": "^[a-c]{2,4}(-[0-9]+)?$"}"#,
    r#"{"type": "string", "pattern": "[0-9]"}"#,
    r#"{"type": "string", "format": "date"}"#,
    r#"{"type": "string", "format": "uuid"}"#,
    r#"{"enum": [1, "two", null, [3], {"four": 4}]}"#,
    r#"{"const": {"a": [true, "x"]}}"#,
    r#"{"type": "array", "items": {"type": "boolean"}, "minItems": 1, "maxItems": 3}"#,
    r#"{"type": "array", "prefixItems": [{"type": "integer"}, {"const": "b"}], "items": false, "minItems": 2}"#,
    r#"{"type": "array", "prefixItems": [{"type": "null"}], "items": {"enum": ["x", "y"]}}"#,
    r#"{"type": "object", "properties": {"a": {"type": "integer"}, "b": {"enum": ["x"]}}, "required": ["b"]}"#,
    r#"{"type": "object", "properties": {"a": {"type": "null"}}, "additionalProperties": false}"#,
    r#"{"type": "object", "additionalProperties": {"type": "integer"}}"#,
    r#"{"type": "object", "patternProperties": {"^x": {"type": "integer"}}, "additionalProperties": false}"#,
    r#"{"anyOf": [{"type": "integer"}, {"type": "array", "items": {"const": 0}}]}"#,
    r#"{"allOf": [{"type": "integer", "minimum": 3}, {"maximum": 9}]}"#,
    r##"{"$defs": {"tree": {"type": "object", "properties": {"v": {"type": "integer"}, "of": {"type": "array",
        "items": {"$ref": "#/$defs/tree"}}}, "required": ["v"], "additionalProperties": false}}, "$ref": "#/$defs/tree"}"##,
    r##"{"type": "array", "maxItems": 2, "items": {"anyOf": [{"type": "null"}, {"$ref": "#"}]}}"##,
    r#"{"type": "object", "properties": {"name": {"type": "string", "maxLength": 5}, "tags": {"type": "array",
        "items": {"type": "string", "enum": ["a", "bc"]}}, "size": {"type": "number", "minimum": 0}},
        "required": ["name", "tags"], "additionalProperties": false}"#,
];

/// 1,000 texts, judged by another implementation of JSON schema.
#[test]
fn random_texts_validate() {
    let vocabulary = pieces();
    let mut chance = Chance(5);
    for text in SCHEMAS {
        let schema: Value = serde_json::from_str(text).expect(text);
        let validator = jsonschema::options().should_validate_formats(true).build(&schema).expect(text);
        let mut constraint = Schema::json(&schema, &vocabulary, &Limits::default()).expect(text);
        let mut n_whole = 0;
        for _ in 0..40 {
            constraint.reset().expect("it can start again");
            let Some(found) = walk(&mut constraint, &vocabulary, &mut chance, 60, |_, _| {}) else {
                continue;
            };
            let shown = String::from_utf8_lossy(&found);
            match serde_json::from_slice::<Value>(&found) {
                Ok(value) => assert!(validator.is_valid(&value), "{text}: {shown}"),
                // Half of a surrogate pair, or more than a double can hold, is JSON by its grammar.
                Err(error) => {
                    let error = error.to_string();
                    let is_beyond_grammar =
                        ["surrogate", "escape", "out of range"].iter().any(|what| error.contains(what));
                    assert!(is_beyond_grammar, "{text}: {shown}: {error}");
                }
            }
            n_whole += 1;
        }
        assert!(n_whole > 10, "{text}: only {n_whole} texts came to an end");
    }
}

fn has(constraint: &mut Schema, text: &str) -> bool {
    constraint.reset().expect("it can start again");
    let vocabulary_of_bytes = |byte: u8| 1 + TokenId::from(byte);
    text.bytes().all(|byte| constraint.accept(vocabulary_of_bytes(byte)).is_ok()) && constraint.is_complete()
}

#[test]
fn schemas_patterns_and_lark() {
    let vocabulary = pieces();
    let limits = Limits::default();
    let check = |constraint: Result<Schema, Error>, yes: &[&str], no: &[&str]| {
        let mut constraint = constraint.expect("it can be enforced");
        yes.iter().for_each(|text| assert!(has(&mut constraint, text), "{text:?} should be allowed"));
        no.iter().for_each(|text| assert!(!has(&mut constraint, text), "{text:?} should not be allowed"));
    };
    let object = r#"{"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": false}"#;
    let json = Schema::json_text(object, &vocabulary, &limits);
    check(json, &[r#"{"a": 1}"#, r#"{"a":-20}"#], &["{}", r#"{"a": 1.5}"#, r#"{"a": 1, "b": 2}"#, "1"]);
    let regex = Schema::regex("[a-c]+(-x)?", &vocabulary, &limits);
    check(regex, &["a", "abc-x"], &["", "x", "a-", "ax"]);
    let lark = Schema::lark("start: \"a\" inner \"b\"\ninner: /[0-9]+/ | start", &vocabulary, &limits);
    check(lark, &["a1b", "aa12bb"], &["ab", "a1", "aa1b"]);
}

/// Texts of each format that can be enforced are of it to the other implementation, and so are those that tell days
/// and minutes apart.
#[test]
fn formats_are_kept() {
    let vocabulary = pieces();
    let mut chance = Chance(3);
    for format in
        ["date", "time", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "uuid", "uri"]
    {
        let schema = serde_json::json!({ "type": "string", "format": format });
        let validator = jsonschema::options().should_validate_formats(true).build(&schema).expect(format);
        let mut constraint = Schema::json(&schema, &vocabulary, &Limits::default()).expect(format);
        for _ in 0..100 {
            constraint.reset().expect("it can start again");
            let Some(found) = walk(&mut constraint, &vocabulary, &mut chance, 60, |_, _| {}) else {
                continue;
            };
            let value: Value = serde_json::from_slice(&found).expect("it is JSON");
            assert!(validator.is_valid(&value), "{format}: {value}");
        }
    }
    let check = |format: &str, texts: &[&str], is_allowed: bool| {
        for schema in [
            serde_json::json!({ "format": format }),
            serde_json::json!({ "type": "string", "format": format, "pattern": "^[0-9]" }),
            serde_json::json!({ "allOf": [{ "$ref": "#/$defs/enum" }], "$defs": { "enum": { "format": format } } }),
        ] {
            let mut constraint = Schema::json(&schema, &vocabulary, &Limits::default()).expect(format);
            for text in texts {
                assert_eq!(has(&mut constraint, &format!("{text:?}")), is_allowed, "{text} by {schema}");
            }
        }
    };
    check("date", &["2024-02-29", "2000-02-29", "2023-02-28", "2023-10-31", "0000-02-29"], true);
    check("date", &["2023-02-29", "1900-02-29", "2024-02-30", "2023-04-31", "2023-13-01"], false);
    check("time", &["23:59:59Z", "12:00:00.5+01:00", "23:59:60Z", "23:59:60.25-00:00"], true);
    check("time", &["12:00:60Z", "23:59:60+01:00", "24:00:00Z", "12:00:00"], false);
    check("date-time", &["2024-02-29T12:00:00Z", "1998-12-31t23:59:60z"], true);
    check("date-time", &["2023-02-29T12:00:00Z", "1998-12-31T12:59:60Z"], false);
    // What is data is not read as a schema.
    let schema = serde_json::json!({ "const": { "format": "date" } });
    let mut constraint = Schema::json(&schema, &vocabulary, &Limits::default()).expect("a constant");
    assert!(has(&mut constraint, r#"{"format":"date"}"#));
}

#[test]
fn what_cannot_be_enforced_is_refused() {
    let vocabulary = pieces();
    let limits = Limits::default();
    let json = |text: &str| Schema::json_text(text, &vocabulary, &limits).map(|_| ());
    let refused = |result: Result<(), Error>, what: &str| match result {
        Err(Error::Unenforceable { .. }) => {}
        other => panic!("{what}: {other:?}"),
    };
    for text in [
        r#"{"type": "array", "uniqueItems": true}"#,
        r#"{"not": {"type": "null"}}"#,
        r#"{"if": {"type": "integer"}, "then": {"minimum": 3}}"#,
        r#"{"type": "string", "pattern": "(?=a)b"}"#,
        r#"{"type": "string", "format": "made-up"}"#,
        r#"{"type": "object", "propertyNames": {"maxLength": 3}}"#,
        r#"{"type": "integer", "minimum": 5, "maximum": 4}"#,
        r##"{"$ref": "#/$defs/missing"}"##,
        r#"{"$ref": "https://example.com/schema"}"#,
        r#"{"type": "made-up"}"#,
        "{",
        "3",
    ] {
        refused(json(text), text);
    }
    refused(Schema::regex("(?=a)b", &vocabulary, &limits).map(|_| ()), "look-ahead");
    refused(Schema::regex("é(a", &vocabulary, &limits).map(|_| ()), "unclosed group at character 2");
    refused(Schema::lark("start: nothing", &vocabulary, &limits).map(|_| ()), "undefined rule");
    let no_end = Vocabulary::new([grammar::Token { text: b"a", is_control: false }], &[]);
    let error = Schema::regex("a", &no_end, &limits).map(|_| ());
    assert!(matches!(error, Err(Error::Engine { .. })), "{error:?}");
}

/// Nested, repeated and ambiguous inputs, on the small stack of a test's thread.
#[test]
fn hostile_schemas_end_in_time() {
    let vocabulary = pieces();
    let limits = Limits::default();
    let begun = Instant::now();
    let nested =
        |depth: usize| (0..depth).fold("true".to_owned(), |inner, _| format!(r#"{{"items":{inner}}}"#));
    for depth in [limits.depth - 1, 2000, 60_000] {
        let result = Schema::json_text(&nested(depth), &vocabulary, &limits);
        assert_eq!(result.is_ok(), depth < limits.depth.min(128), "{depth}");
    }
    let mut value = Value::Null;
    for _ in 0..limits.depth - 2 {
        value = serde_json::json!({ "items": value });
    }
    value["items"]["type"] = "array".into();
    run(Schema::json(&value, &vocabulary, &limits), "[");
    let parens = |n: usize| "(".repeat(n) + "a" + &")".repeat(n);
    for n in [limits.depth, 2000, 60_000] {
        run(Schema::regex(&parens(n), &vocabulary, &limits), "a");
        run(Schema::lark(&format!("start: {}", parens(n).replace('a', "\"a\"")), &vocabulary, &limits), "a");
    }
    for pattern in ["(a*)*b", "((a|a?)+){60}", ".*x.{5000}", "(a{1,100}){1,100}", "(.*a){50}"] {
        run(Schema::regex(pattern, &vocabulary, &limits), "aaaaxaaa");
    }
    run(
        Schema::json_text(
            r#"{"type": "array", "maxItems": 5000, "items": {"maxLength": 20000}}"#,
            &vocabulary,
            &limits,
        ),
        "[",
    );
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
}

/// Any answer will do, but a panic.
fn run(constraint: Result<Schema, Error>, text: &str) {
    let Ok(mut constraint) = constraint else { return };
    for byte in text.bytes() {
        if constraint.mask().is_err() || constraint.accept(1 + TokenId::from(byte)).is_err() {
            return;
        }
    }
}

#[test]
fn one_vocabulary_serves_many_threads() {
    let vocabulary = pieces();
    let write = |seed: u64, vocabulary: &Arc<Vocabulary>| {
        let mut constraint =
            Schema::regex("[0-9]{5}", vocabulary, &Limits::default()).expect("it can be enforced");
        let text =
            walk(&mut constraint, vocabulary, &mut Chance(seed), 9, |_, _| {}).expect("five digits end");
        assert_eq!(text.len(), 5);
    };
    std::thread::scope(|scope| {
        for seed in 0..4 {
            let vocabulary = &vocabulary;
            scope.spawn(move || write(seed, vocabulary));
        }
    });
}
