//! GBNF against a naive second reading: what is allowed at each step, and that whole texts are of the grammar.

use grammar::{Constraint, Grammar, Matcher, TokenId};

use crate::oracle::Oracle;
use crate::support::{Chance, END, allowed, pieces, walk};

const GRAMMARS: [(&str, &str); 7] = [
    ("json", include_str!("../data/json.gbnf")),
    ("arithmetic", include_str!("../data/arithmetic.gbnf")),
    ("chess", include_str!("../data/chess.gbnf")),
    ("list", include_str!("../data/list.gbnf")),
    ("code", include_str!("../data/code.gbnf")),
    ("scripts", include_str!("../data/scripts.gbnf")),
    ("ambiguous", include_str!("../data/ambiguous.gbnf")),
];

/// 1,001 texts, each of the grammar by the oracle; and at places along the way, tokens are allowed exactly if the
/// oracle can go on after them.
#[test]
fn random_texts_are_of_the_grammar() {
    let vocabulary = pieces();
    let mut chance = Chance(1);
    for (name, text) in GRAMMARS {
        let oracle = Oracle::new(text);
        let grammar = Grammar::new(text).expect(name);
        let mut matcher = Matcher::new(&grammar, &vocabulary).expect(name);
        let mut n_whole = 0;
        for round in 0..143 {
            matcher.reset().expect("a matcher can start again");
            let mut look = Chance(round);
            let found = walk(&mut matcher, &vocabulary, &mut chance, 60, |matcher, text| {
                if look.below(100) != 0 {
                    return;
                }
                let allowed = allowed(matcher);
                for token in (1..vocabulary.n_tokens() as TokenId).filter(|_| look.below(6) == 0) {
                    let after = [text, vocabulary.text(token).expect("a token")].concat();
                    let is_alive = oracle.judge(&after).is_alive;
                    let shown = String::from_utf8_lossy(&after);
                    assert_eq!(allowed.contains(token), is_alive, "{name}: {shown:?} by token {token}");
                    assert_eq!(matcher.allows(token), Ok(is_alive), "{name}: {shown:?}");
                }
            });
            if let Some(found) = found {
                let shown = String::from_utf8_lossy(&found);
                assert!(oracle.judge(&found).is_complete, "{name}: {shown:?}");
                if name == "json" {
                    serde_json::from_slice::<serde_json::Value>(&found).expect(&shown);
                }
                n_whole += 1;
            }
        }
        assert!(n_whole > 60, "{name}: only {n_whole} texts came to an end");
    }
}

/// Whether the grammar has the whole text.
fn has(grammar: &str, text: &str) -> bool {
    let grammar = Grammar::new(grammar).unwrap_or_else(|error| panic!("{grammar}: {error}"));
    let mut matcher = Matcher::new(&grammar, &pieces()).expect("a vocabulary with all bytes");
    text.bytes().all(|byte| matcher.accept(1 + TokenId::from(byte)).is_ok()) && matcher.is_complete()
}

#[test]
fn notation() {
    let check = |grammar: &str, yes: &[&str], no: &[&str]| {
        for text in yes {
            assert!(has(grammar, text), "{grammar} should have {text:?}");
        }
        for text in no {
            assert!(!has(grammar, text), "{grammar} should not have {text:?}");
        }
    };
    check(r#"root ::= "a""#, &["a"], &["", "aa", "b"]);
    check("root ::= ", &[""], &["a"]);
    check(r#"root ::= "a" | "" "#, &["a", ""], &["aa"]);
    check("root ::= a b\na ::= \"x\" # one\n\n# two\nb ::= \"y\"", &["xy"], &["x", "y"]);
    check("root ::= (\"a\"\n | \"b\"\n)+ |\n \"c\"", &["ab", "c"], &["", "cc"]);
    check("root\t::=\r\n\"a\"\r\nb ::= \"b\"\r\n", &["a"], &["b"]);
    check(r#"root ::= "ab"{2}"#, &["abab"], &["ab", "abb", "ababab"]);
    check(r#"root ::= "a"{2,3} [b]{ 1, } "c"{0,2}"#, &["aab", "aaabbbcc"], &["ab", "aaaab", "aabccc", "aa"]);
    check(r#"root ::= "a"{0} "b"{0,0} "c"?"#, &["", "c"], &["a", "b", "cc"]);
    check(r#"root ::= "a"{2}{3}"#, &["aaaaaa"], &["aaaaa", "aaaaaaa"]);
    check(r#"root ::= "a"+?"#, &["", "aa"], &["b"]);
    check(r#"root ::= ("a"?)* "b""#, &["b", "aab"], &["a"]);
    check(r#"root ::= ("" | "a")* "b""#, &["b", "aab"], &["a"]);
    check(r#"root ::= [a-c-] [^a-c\]] [\]\-x]"#, &["-x]", "ad-", "bzx"], &["dxx", "aax", "a]x"]);
    check(r#"root ::= [a\-c] [-a] [a-]"#, &["-a-", "c-a"], &["b-a"]);
    check(r#"root ::= "\x41\u00e9\U0001F600\t\n\r\\\"\[\]\-""#, &["Aé😀\t\n\r\\\"[]-"], &["A"]);
    check(r#"root ::= . .{2}"#, &["abc", "é😀\n"], &["ab", "abcd"]);
    check(r#"root ::= [^a]"#, &["b", "é", "\n"], &["a", ""]);
}

#[test]
fn recursion() {
    let check = |grammar: &str, yes: &[&str], no: &[&str]| {
        yes.iter().for_each(|text| assert!(has(grammar, text), "{grammar} should have {text:?}"));
        no.iter().for_each(|text| assert!(!has(grammar, text), "{grammar} should not have {text:?}"));
    };
    check(r#"root ::= "(" root ")" | "x""#, &["x", "((x))"], &["(x", "x)", ""]);
    check(r#"root ::= "a" root | "b""#, &["b", "aab"], &["a"]);
    // What comes first may be empty, and then the rule begins with itself and ends: no stack grows.
    check("root ::= space root | \"x\"\nspace ::= [ ]*", &["x", "   x"], &["", "x "]);
    check("root ::= a \"!\"\na ::= b? c\nb ::= \"b\" a\nc ::= \"c\"?", &["!", "bb!", "bcc!"], &["c"]);
    // What comes first is the rule itself, openly or not.
    check(r#"root ::= root "x" | "y""#, &["y", "yxx"], &["", "x", "xy"]);
    check("root ::= a \"x\" | \"y\"\na ::= root", &["y", "yx"], &["x"]);
    check("root ::= (\"a\" | root) \"x\"", &["ax", "axx"], &["a", "x"]);
    check(
        "root ::= space root \"x\" | \"y\"\nspace ::= blank*\nblank ::= [ ]",
        &["y", "  yxx", " yx"],
        &["  yx x"],
    );
    check(
        "root ::= root \"+\" term | term\nterm ::= term \"*\" [0-9] | [0-9]",
        &["1", "1+2*3*4+5"],
        &["1+", "+1"],
    );
    let deep = "(".repeat(20_000) + "x" + &")".repeat(20_000);
    assert!(has(r#"root ::= "(" root ")" | "x""#, &deep));
}

#[test]
fn token_literals() {
    let vocabulary = crate::support::vocabulary(&["<|a|>", "<|b|>", "x", "<", "|", "a", ">", "", "a|>"]);
    let find = |text: &str| vocabulary.find(text.as_bytes());
    let check = |grammar: &str, texts: &[(&[TokenId], &[TokenId])]| {
        let grammar = Grammar::with_tokens(grammar, &find, &grammar::Limits::default()).expect(grammar);
        let mut matcher = Matcher::new(&grammar, &vocabulary).expect("the tokens are there");
        for (tokens, expected) in texts {
            matcher.reset().expect("a matcher can start again");
            for &token in *tokens {
                matcher.accept(token).expect("it is allowed");
            }
            assert_eq!(allowed(&mut matcher).iter().collect::<Vec<_>>(), *expected, "after {tokens:?}");
            for token in 0..vocabulary.n_tokens() as TokenId {
                assert_eq!(matcher.allows(token), Ok(expected.contains(&token)), "{token} after {tokens:?}");
            }
        }
    };
    check("root ::= <|a|> \"x\" <[2]>", &[(&[], &[1]), (&[1], &[3]), (&[1, 3], &[2]), (&[1, 3, 2], &[END])]);
    // Characters may spell what a literal names; the literal itself is that token alone.
    check("root ::= \"<|a|>\"", &[(&[], &[1, 4]), (&[4], &[5]), (&[4, 5], &[6, 9])]);
    check("root ::= !<|a|> \"x\"", &[(&[], &[2, 3, 4, 5, 6, 7, 9]), (&[2], &[3])]);
    check("root ::= !<[3]>* <[3]>", &[(&[], &[1, 2, 3, 4, 5, 6, 7, 9]), (&[5, 3], &[END])]);
    check("root ::= <[8]> | \"x\" <[1]>", &[(&[], &[3, 8]), (&[3], &[1]), (&[8], &[END])]);
    check("root ::= ( <|a|> | \"<|\" ) \"a\"", &[(&[], &[1, 4]), (&[1], &[6]), (&[4, 5], &[6])]);
}
