//! Writing a text by a constraint, token by token as an input says, and what must be true on the way.

use grammar::{Constraint, Error, TokenId, Vocabulary};

use crate::input::Input;
use crate::small::END;

/// More tokens would only make inputs slow.
const MOST: usize = 48;

/// Follows the input through what is allowed; the text, if it was brought to its end.
pub(super) fn write(
    constraint: &mut dyn Constraint,
    vocabulary: &Vocabulary,
    input: &mut Input<'_>,
) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    for _ in 0..MOST {
        let allowed = match constraint.mask() {
            Ok(mask) => mask.expect("a grammar always constrains").clone(),
            Err(Error::DeadEnd | Error::Limit { .. } | Error::Engine { .. }) => return None,
            Err(other) => panic!("after {}: {other}", String::from_utf8_lossy(&text)),
        };
        assert_eq!(allowed.contains(END), constraint.is_complete(), "{}", String::from_utf8_lossy(&text));
        check_single(constraint, &allowed, vocabulary, input);
        let choices: Vec<TokenId> = allowed.iter().collect();
        assert!(!choices.is_empty(), "an empty mask is an error");
        let token = choices[usize::from(input.number()) % choices.len()];
        if token == END {
            constraint.accept(END).expect("it was allowed");
            return Some(text);
        }
        match constraint.accept(token) {
            Ok(()) => text.extend_from_slice(vocabulary.text(token).expect("a token of the mask")),
            Err(Error::Limit { .. } | Error::Engine { .. }) => return None,
            Err(other) => panic!("{token} after {}: {other}", String::from_utf8_lossy(&text)),
        }
        if input.is_empty() {
            break;
        }
    }
    constraint.reset().expect("a constraint can start again");
    None
}

/// The mask and the question for one token say the same.
fn check_single(
    constraint: &mut dyn Constraint,
    allowed: &grammar::TokenSet,
    vocabulary: &Vocabulary,
    input: &mut Input<'_>,
) {
    let token = TokenId::from(input.number()) % vocabulary.n_tokens() as TokenId;
    match constraint.allows(token) {
        Ok(is_allowed) => assert_eq!(is_allowed, allowed.contains(token), "token {token}"),
        Err(Error::Limit { .. } | Error::Engine { .. }) => {}
        Err(other) => panic!("token {token}: {other}"),
    }
}
