//! Thinking before an answer: free, limited, and no part of what a grammar holds.

use grammar::{Constraint, Error, Grammar, Matcher, Thinking, Thoughts, TokenId};

use crate::support::{END, vocabulary};

const OPEN: TokenId = 1;
const CLOSE: TokenId = 2;
const A: TokenId = 3;
const B: TokenId = 4;
const HALF: TokenId = 5;
const STOP: TokenId = 6;

fn thinking(budget: Option<usize>, is_open: bool, grammar: Option<&str>) -> Thinking {
    let vocabulary = vocabulary(&[&b"<think>"[..], b"</think>", b"a", b"b", &[0xc3], b"stop"]);
    let inner = grammar.map(|text| -> Box<dyn Constraint> {
        Box::new(Matcher::new(&Grammar::new(text).expect(text), &vocabulary).expect(text))
    });
    let thoughts = Thoughts { start: vec![OPEN], end: vec![CLOSE], message: vec![STOP], budget, is_open };
    Thinking::new(inner, &vocabulary, thoughts)
}

/// Which tokens may come after these; all if nothing constrains.
fn after(thinking: &mut Thinking, tokens: &[TokenId]) -> Vec<TokenId> {
    thinking.reset().expect("it can start again");
    tokens.iter().for_each(|&token| thinking.accept(token).expect("it is allowed"));
    let allowed: Vec<TokenId> = match thinking.mask().expect("it goes on") {
        Some(mask) => mask.iter().collect(),
        None => (END..=STOP).collect(),
    };
    for token in END..=STOP {
        assert_eq!(thinking.allows(token), Ok(allowed.contains(&token)), "{token} after {tokens:?}");
    }
    allowed
}

#[test]
fn thinking_ends_when_its_budget_is_spent() {
    let any: Vec<TokenId> = (END..=STOP).collect();
    let mut limited = thinking(Some(2), false, None);
    for (tokens, expected) in [
        (&[][..], &any[..]),
        (&[A, A, A, A], &any),
        (&[OPEN, A], &any),
        (&[OPEN, A, B], &[STOP]),
        (&[OPEN, A, B, STOP], &[CLOSE]),
        (&[OPEN, A, B, STOP, CLOSE], &any),
        (&[OPEN, A, CLOSE, A, B, A], &any),
        // A character is not cut in two.
        (&[OPEN, A, HALF], &any),
        (&[OPEN, A, HALF, B], &[STOP]),
        // It may think again, as much as before.
        (&[OPEN, A, CLOSE, OPEN, A], &any),
        (&[OPEN, A, CLOSE, OPEN, A, A], &[STOP]),
    ] {
        assert_eq!(after(&mut limited, tokens), expected, "{tokens:?}");
    }
    assert_eq!(after(&mut thinking(Some(0), true, None), &[]), [STOP]);
    assert_eq!(after(&mut thinking(Some(0), false, None), &[OPEN]), [STOP]);
    assert_eq!(after(&mut thinking(None, true, None), &[A; 500]), any);
}

#[test]
fn a_grammar_holds_for_the_answer_alone() {
    let grammar = Some("root ::= \"a\" \"b\"");
    let mut held = thinking(None, true, grammar);
    let free: Vec<TokenId> = (OPEN..=STOP).collect();
    for (tokens, expected) in [
        (&[][..], &free[..]),
        (&[B, B, STOP], &free),
        (&[B, CLOSE], &[A]),
        (&[B, CLOSE, A], &[B]),
        (&[B, CLOSE, A, B], &[END]),
    ] {
        assert_eq!(after(&mut held, tokens), expected, "{tokens:?}");
    }
    assert!(held.is_complete());
    held.rollback(3).expect("three came");
    assert!(!held.is_complete() && held.allows(STOP) == Ok(true));
    assert!(matches!(held.rollback(9), Err(Error::Rollback { asked: 9, held: 1 })));
    assert!(matches!(held.accept(END), Err(Error::Refused { .. })));
    assert_eq!(after(&mut thinking(Some(1), false, grammar), &[A]), [B]);
}
