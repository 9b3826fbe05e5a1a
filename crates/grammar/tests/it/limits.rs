//! Hostile and broken grammars: an error that says where, or an answer in time.

use std::time::{Duration, Instant};

use grammar::{Constraint, Error, Grammar, Limits, Matcher, TokenId};

use crate::support::{pieces, vocabulary};

/// Far more than any of this takes, far less than what it would take if it were not bounded.
const IN_TIME: Duration = Duration::from_secs(20);

fn error(grammar: &str) -> Error {
    let begun = Instant::now();
    let error = Grammar::new(grammar).expect_err("the grammar is broken");
    assert!(begun.elapsed() < IN_TIME, "{error} took {:?}", begun.elapsed());
    error
}

#[test]
fn broken_grammars_say_where() {
    let check = |grammar: &str, expected: &str| {
        let found = error(grammar).to_string();
        assert!(found.contains(expected), "{grammar:?}: {found}");
    };
    check("", "no rule `root`");
    check("a ::= \"x\"", "no rule `root`");
    check("root ::= a", "line 1: rule `a` is used");
    check("root ::= \"x\"\n\n::= b", "line 3, column 1: expected a name");
    check("root = \"x\"", "line 1, column 6: expected `::=`");
    check("root ::= \"x", "ends within a literal");
    check("root ::= [a", "ends within a literal");
    check(r#"root ::= "\q""#, "column 11: unknown escape");
    check(r#"root ::= "\x4""#, "2 hexadecimal digits");
    check(r#"root ::= "\ud800""#, "U+D800 is not");
    check(r#"root ::= "\U00110000""#, "U+110000 is not");
    check(r#"root ::= "a\x00""#, "NUL");
    check(r"root ::= [\x00]", "no character matches");
    check("root ::= []", "empty");
    check("root ::= [^]", "empty");
    check("root ::= [z-a]", "backwards");
    check("root ::= ( \"a\"\n", "group of line 1 is not closed");
    check("root ::= \"a\" )", "expected the end of the line, found `)`");
    check("root ::= ( \"a\" } )", "expected `)`");
    check("root ::= *", "nothing before");
    check("root ::= \"\"*", "nothing before");
    check("root ::= \"a\" | +", "nothing before");
    check("root ::= \"a\"{", "expected a number");
    check("root ::= \"a\"{,3}", "expected a number");
    check("root ::= \"a\"{3,2}", "at least 3 and at most 2");
    check("root ::= \"a\"{2 3}", "expected `}`");
    check("root ::= \"a\"\nroot ::= \"b\"", "line 2, column 1: rule `root` is defined twice");
    check("root ::= <think>", "`<think>` is not one token");
    check("root ::= <[12>", "expected `]>`");
    check("root ::= !\"a\"", "expected `<`");
    check("root ::= \"a\" \"b\" & \"c\"", "found `&`");
    check("root ::= \"a\"\n  | \"b\"", "line 2, column 3: expected a name");
    check("root ::= \u{0}", "found `\0`");
}

#[test]
fn rules_that_cannot_begin_are_refused() {
    let check = |grammar: &str, rule: &str| match error(grammar) {
        Error::NoBeginning { rule: found } => assert_eq!(found, rule, "{grammar}"),
        other => panic!("{grammar}: {other}"),
    };
    check("root ::= root \"x\"", "rule `root` (line 1)");
    check("root ::= \"y\" | a\na ::= a", "rule `a` (line 2)");
    check("root ::= \"y\" | a \"z\"\na ::= \"\" b \"x\" | b\nb ::= a", "rule `b` (line 3)");
}

#[test]
fn limits_are_kept() {
    let check = |grammar: &str, expected: &str| match error(grammar) {
        Error::Limit { what, found, limit } => {
            assert!(what.contains(expected) && found > limit, "{what}: {found} of {limit}");
        }
        other => panic!("{other}"),
    };
    check(&format!("root ::= \"{}\"", "x".repeat(300_000)), "length");
    check(&format!("root ::= {}\"x\"{}", "(".repeat(60_000), ")".repeat(60_000)), "depth");
    check(&format!("root ::= {}\"x\"{}", "(".repeat(2000), ")".repeat(2000)), "depth");
    check(&format!("root ::= {}", "()".repeat(60_000)), "number of rules");
    check(&format!("root ::= {}", "[^a]{2000} ".repeat(1000)), "number of steps");
    let repeated = |grammar: &str| assert!(error(grammar).to_string().contains("2000"), "{grammar}");
    repeated("root ::= .{5000}");
    repeated("root ::= .{99999999999999999999}");
    repeated("root ::= (\"a\"{0,100}){0,100}");
    repeated("root ::= \"a\"{100}{100}");
}

/// Reads the text token by token, asking for the mask each time; the first error ends it.
fn run(grammar: &str, text: &[u8]) -> Result<(), Error> {
    let begun = Instant::now();
    let vocabulary = pieces();
    let mut matcher = Matcher::new(&Grammar::new(grammar)?, &vocabulary)?;
    for &byte in text {
        let outcome = matcher.mask().map(|_| ()).and_then(|()| matcher.accept(1 + TokenId::from(byte)));
        assert!(begun.elapsed() < IN_TIME, "{grammar} took {:?}", begun.elapsed());
        outcome?;
    }
    Ok(())
}

#[test]
fn ambiguity_takes_no_exponential_time() {
    let check = |grammar: &str, text: &[u8]| {
        if let Err(error) = run(grammar, text) {
            panic!("{}: {error}", &grammar[..grammar.len().min(80)]);
        }
    };
    let a = "a".repeat(200).into_bytes();
    check(r#"root ::= ("a" | "a" "a")* "b""#, &a);
    check(r#"root ::= ("a"* "a"*)* "b""#, &a);
    check(r#"root ::= ("a" ("a" | "a"?)){0,60} "b""#, &a[..60]);
    check(r#"root ::= "a" root "x" | "a" root "y" | "b""#, &a);
    check(r#"root ::= "a" root root "x" | "a" root "y" | "a" | "b""#, &a[..60]);
    check("root ::= .* \"x\" .{500}", "axxbx".repeat(60).as_bytes());
    check("root ::= (.{0,40}){0,40} \"!\"", &a[..60]);
    check("root ::= .{2000,5000}", &a);
    let chain: String = (1..400).map(|n| format!("a{n} ::= a{} a{}\n", n - 1, n - 1)).collect();
    check(&format!("root ::= a399\na0 ::= \"a\"\n{chain}"), &a);
    let deep: String = (1..2000).map(|n| format!("a{n} ::= a{} \"x\" | a{} \"y\"\n", n - 1, n - 1)).collect();
    check(&format!("root ::= a1999\na0 ::= \"a\"\n{deep}"), b"axyxyxy");
    check(r#"root ::= root root | "a" | """#, &a);
    check("root ::= b root a | a\na ::= \"a\"*\nb ::= a?", &a);
    check("root ::= root \"+\" root | root \"*\" root | \"a\"", "a+a*a*".repeat(60).as_bytes());
    let cycle: String = (0..100)
        .map(|n| format!("a{n} ::= a{} \"x\" | a{} a0 | \"y\"?\n", (n + 1) % 100, (n * 7 + 3) % 100))
        .collect();
    check(&format!("root ::= a0\n{cycle}"), b"yxxyxyxx");
    // What may be empty because of others, found in the worst order.
    let all: Vec<_> = (0..5000).map(|n| format!("a{n}")).collect();
    let chain: String = (1..5000).map(|n| format!("a{n} ::= a{} | \"x\" a{n}\n", n - 1)).collect();
    check(&format!("root ::= {}\na0 ::= \"\" | \"x\" a0\n{chain}", all.join("|")), b"xx");
    let nested = "(".repeat(190) + "\"a\"*" + &")*".repeat(190);
    check(&format!("root ::= {nested}"), &a);
    let cycle: String = (0..3000)
        .map(|n| format!("a{n} ::= \"a\" a{} | \"b\" a{}\n", (n + 1) % 3000, (n * 7 + 3) % 3000))
        .collect();
    check(&format!("root ::= a0 | \"c\"\n{cycle}"), &a);
}

#[test]
fn work_and_memory_are_bounded() {
    let vocabulary = pieces();
    let find = |_: &str| None;
    let run = |limits: Limits| {
        let grammar =
            Grammar::with_tokens("root ::= (.{0,20}){0,20} \"!\"", &find, &limits).expect("it compiles");
        let mut matcher = Matcher::new(&grammar, &vocabulary).expect("it begins");
        (0..300).try_for_each(|_| matcher.mask().map(|_| ()).and_then(|()| matcher.accept(1 + 97)))
    };
    let is_limit = |result: Result<(), Error>, expected: &str| match result {
        Err(Error::Limit { what, .. }) => assert!(what.contains(expected), "{what}"),
        other => panic!("{other:?}"),
    };
    is_limit(run(Limits { work: 2000, ..Limits::default() }), "work");
    is_limit(run(Limits { memory_bytes: 10_000, ..Limits::default() }), "memory");
    // Little memory, but enough for one token: what was learned is forgotten and found again.
    run(Limits { memory_bytes: 2_000_000, ..Limits::default() }).expect("it forgets in time");
}

#[test]
fn what_a_vocabulary_cannot_match_is_refused_at_once() {
    let vocabulary = vocabulary(&["a"]);
    let begin = |text: &str| Matcher::new(&Grammar::new(text).expect(text), &vocabulary).map(|_| ());
    assert_eq!(begin("root ::= <[0]>"), Err(Error::EndToken { token: 0 }));
    assert_eq!(begin("root ::= \"a\" !<[7]>"), Err(Error::UnknownToken { token: 7, n_tokens: 2 }));
    assert_eq!(begin("root ::= !<[0]>"), Ok(()));
    let mut matcher =
        Matcher::new(&Grammar::new("root ::= \"ab\"").expect("fine"), &vocabulary).expect("fine");
    matcher.accept(1).expect("it is an a");
    assert_eq!(matcher.mask().map(|_| ()), Err(Error::DeadEnd));
    assert_eq!(matcher.accept(2), Err(Error::UnknownToken { token: 2, n_tokens: 2 }));
    assert_eq!(matcher.accept(1), Err(Error::Refused { token: 1, text: "a".to_owned() }));
    assert_eq!(matcher.accept(0), Err(Error::Refused { token: 0, text: "<end>".to_owned() }));
}
