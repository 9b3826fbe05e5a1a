//! Going back, copies, and constraints that wait.

use std::sync::Arc;

use grammar::{Constraint, Error, Grammar, Lazy, Limits, Matcher, Schema, TokenId, Trigger, Vocabulary};

use crate::support::{Chance, END, allowed, pieces, vocabulary, walk};

fn gbnf(text: &str, vocabulary: &Arc<Vocabulary>) -> Box<dyn Constraint> {
    Box::new(Matcher::new(&Grammar::new(text).expect(text), vocabulary).expect(text))
}

fn say(constraint: &mut dyn Constraint, text: &str) -> Result<(), Error> {
    text.bytes().try_for_each(|byte| constraint.accept(1 + TokenId::from(byte)))
}

#[test]
fn rollback_and_copies() {
    let vocabulary = pieces();
    let limits = Limits::default();
    let schema =
        Schema::json_text(r#"{"type": "array", "items": {"type": "integer"}}"#, &vocabulary, &limits);
    let constraints: [Box<dyn Constraint>; 2] =
        [gbnf(include_str!("../data/json.gbnf"), &vocabulary), Box::new(schema.expect("it can be enforced"))];
    for mut constraint in constraints {
        let mut chance = Chance(3);
        say(&mut *constraint, "[1").expect("it is JSON");
        let here = allowed(&mut *constraint);
        let mut copy = constraint.clone();
        for n in 1..20 {
            let mut n_done = 0;
            walk(&mut *constraint, &vocabulary, &mut chance, n, |_, _| n_done += 1);
            // The last look is not followed by a token where the text ended before.
            let n_taken = (0..=n_done).rev().find(|&n| constraint.clone().rollback(n + 2).is_ok());
            constraint.rollback(n_taken.expect("two were said before")).expect("they are remembered");
            assert_eq!(allowed(&mut *constraint), here);
        }
        assert_eq!(allowed(&mut *copy), here);
        say(&mut *copy, ",2]").expect("the copy goes its own way");
        assert!(copy.is_complete() && !constraint.is_complete());
        copy.accept(END).expect("it is complete");
        copy.rollback(2).expect("the end can be taken back");
        assert!(!copy.is_complete());
        copy.reset().expect("it can start again");
        assert_eq!(copy.rollback(1), Err(Error::Rollback { asked: 1, held: 0 }));
        assert!(say(&mut *copy, "x").is_err());
        say(&mut *copy, "[]").expect("a refused token changes nothing");
    }
}

#[test]
fn a_long_text_is_remembered_in_part() {
    let vocabulary = pieces();
    let mut matcher = gbnf("root ::= [a-c]*", &vocabulary);
    for _ in 0..3000 {
        say(&mut *matcher, "a").expect("it is allowed");
    }
    matcher.rollback(Limits::default().rollback).expect("so many are always remembered");
    assert!(matches!(matcher.rollback(2500), Err(Error::Rollback { asked: 2500, held }) if held < 500));
}

#[test]
fn lazy_constraints_wait_for_their_trigger() {
    let vocabulary = pieces();
    let grammar = "root ::= \"<call>\" [0-9]+ \"</call>\"";
    let check = |trigger: Trigger, before: &str, refused: &str, after: &str| {
        let mut lazy = Lazy::new(gbnf(grammar, &vocabulary), &vocabulary, std::slice::from_ref(&trigger))
            .expect("it compiles");
        for _ in 0..2 {
            assert!(lazy.is_waiting() && lazy.is_complete());
            say(&mut lazy, &before[..before.len() - 1]).expect("anything goes");
            assert_eq!(lazy.mask().expect("it waits"), None, "{trigger:?}");
            assert_eq!(lazy.allows(3), Ok(true));
            say(&mut lazy, &before[before.len() - 1..]).expect("the trigger");
            assert!(!lazy.is_waiting() && !lazy.is_complete(), "{trigger:?}");
            assert!(say(&mut lazy, refused).is_err(), "{trigger:?}");
            say(&mut lazy, after).expect("it continues");
            assert!(lazy.is_complete());
            lazy.rollback(after.len()).expect("that much is remembered");
            assert!(!lazy.is_waiting());
            lazy.rollback(1).expect("the trigger too");
            assert!(lazy.is_waiting());
            say(&mut lazy, &before[before.len() - 1..]).expect("the trigger");
            say(&mut lazy, after).expect("it continues");
            lazy.reset().expect("it can start again");
        }
    };
    check(Trigger::Word("<call>".to_owned()), "Yes: <c <call>", "x", "12</call>");
    check(Trigger::Pattern("[a-z]+ ?(<call>)".to_owned()), "<call> x\nso<call>", "<", "1</call>");
    check(Trigger::FullPattern("(?s).*(<call>)".to_owned()), "\n <call>", "<", "1</call>");
}

#[test]
fn triggers() {
    let vocabulary = vocabulary(&["say ", "so <", "call", ">", "<|call|>", "1", "é\n<"]);
    let grammar = "root ::= \"<call>\" \"1\" | <[5]> \"1\"";
    let check = |triggers: &[Trigger], tokens: &[TokenId], expected: &[TokenId]| {
        let mut lazy = Lazy::new(gbnf(grammar, &vocabulary), &vocabulary, triggers).expect("it compiles");
        let (last, before) = tokens.split_last().expect("there are tokens");
        for &token in before {
            lazy.accept(token).expect("anything goes");
            assert!(lazy.is_waiting(), "{triggers:?}");
        }
        lazy.accept(*last).expect("the trigger");
        assert_eq!(allowed(&mut lazy).iter().collect::<Vec<_>>(), expected, "{triggers:?} after {tokens:?}");
    };
    check(&[Trigger::Token(5)], &[1, 4, 5], &[6]);
    // The constraint begins within a token.
    check(&[Trigger::Word("<call".to_owned())], &[1, 2, 3], &[4]);
    check(&[Trigger::Word("<call>".to_owned()), Trigger::Token(9)], &[7, 3, 4], &[6]);
    check(&[Trigger::Pattern(r"(?s)say.*(<)call".to_owned())], &[2, 1, 7, 3], &[4]);
    check(&[Trigger::Pattern("()(<ca)ll".to_owned())], &[2, 3], &[4]);
    check(&[Trigger::Pattern(r"\bso (<call)\b".to_owned())], &[7, 1, 2, 3], &[4]);
    check(&[Trigger::FullPattern("(?s).*(<call)".to_owned())], &[1, 2, 3], &[4]);
    check(&[Trigger::FullPattern("so (<call)>".to_owned())], &[2, 3, 4], &[6]);
    let word = Trigger::Word("say ".to_owned());
    let mut lazy = Lazy::new(gbnf(grammar, &vocabulary), &vocabulary, &[word]).expect("it compiles");
    assert!(matches!(lazy.accept(1), Err(Error::Refused { token: 1, .. })));
    assert!(lazy.is_waiting(), "a trigger that the grammar refuses changes nothing");
    let ahead = Trigger::Pattern("a(?=b)".to_owned());
    let error = Lazy::new(gbnf(grammar, &vocabulary), &vocabulary, &[ahead]).expect_err("it looks around");
    assert!(matches!(&error, Error::Trigger { pattern, .. } if pattern == "a(?=b)"), "{error}");
}
