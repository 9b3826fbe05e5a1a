//! Vocabularies and chance for the tests.

use std::sync::Arc;

use grammar::{Constraint, Token, TokenId, TokenSet, Vocabulary};

/// The token that ends a text in the vocabularies of the tests.
pub(crate) const END: TokenId = 0;

/// A vocabulary: `<end>`, then these texts.
pub(crate) fn vocabulary<T: AsRef<[u8]>>(texts: &[T]) -> Arc<Vocabulary> {
    let end = Token { text: b"<end>", is_control: true };
    let texts = texts.iter().map(|text| {
        let text = text.as_ref();
        Token { text, is_control: text.starts_with(b"<|") }
    });
    Vocabulary::new(std::iter::once(end).chain(texts), &[END])
}

/// Pieces of the languages in the tests.
const LONGER: &[&str] = &[
    "  ",
    "\n ",
    "\n\n",
    "\":",
    "\": ",
    "\",",
    "\", \"",
    "{\"",
    "\"}",
    "}}",
    "}]",
    "]]",
    "[[",
    "],",
    "[\"",
    "\"]",
    "true",
    "tru",
    "false",
    "null",
    "nul",
    "10",
    "123",
    "0.5",
    "e-7",
    "1.",
    "1. ",
    " e4",
    "Nf3",
    "O-O",
    "-O",
    "O-O-O",
    "+\n",
    "exd5",
    "* a",
    "  - ",
    " - b\n* ",
    "int",
    "int ",
    "float ",
    "char*",
    "return",
    "while (",
    "if(",
    "else",
    " else ",
    "==",
    "<= ",
    ");",
    "){",
    "){\n",
    "{ }",
    "//",
    "x = ",
    "αβ",
    "ά",
    "かな",
    "カ。",
    "ー",
    "、",
    "😀",
    "😁😂",
    "éß",
    "ab",
    "aab",
    "abba",
    "bab",
    "((",
    "())",
    "xy",
    ")x)y",
    "cc",
    "\\u00",
    "\\\"",
    "<|x|>",
    "the quick",
    " ( a",
    "b ) ",
    "= 12\n",
    "a_1",
    "ЖЖ",
    "日本 ",
    " 日",
];

/// Every byte, and pieces of the languages in the tests, some cut within characters.
pub(crate) fn pieces() -> Arc<Vocabulary> {
    let mut texts: Vec<Vec<u8>> = (0..=255).map(|byte| vec![byte]).collect();
    texts.extend(LONGER.iter().map(|text| text.as_bytes().to_vec()));
    texts.extend(
        [&"か".as_bytes()[..2], &"😀".as_bytes()[..3], &"αβ".as_bytes()[1..], &"aé".as_bytes()[..2]]
            .map(<[u8]>::to_vec),
    );
    vocabulary(&texts)
}

/// SplitMix64.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % n as u64) as usize
    }
}

pub(crate) fn allowed(constraint: &mut dyn Constraint) -> TokenSet {
    let mask = constraint.mask().expect("the text can go on");
    mask.expect("it constrains").clone()
}

/// Writes a random text: its tokens, the end left out, and whether it was ended within `n_most` tokens.
///
/// The longer the text, the likelier are tokens that close something.
pub(crate) fn walk(
    constraint: &mut dyn Constraint,
    vocabulary: &Vocabulary,
    chance: &mut Chance,
    n_most: usize,
    mut look: impl FnMut(&mut dyn Constraint, &[u8]),
) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    for n in 0..n_most {
        look(constraint, &text);
        let allowed = allowed(constraint);
        assert_eq!(allowed.contains(END), constraint.is_complete());
        if allowed.contains(END) && (chance.below(8) == 0 || n > n_most / 2) {
            constraint.accept(END).expect("the end is allowed");
            return Some(text);
        }
        let all: Vec<TokenId> = allowed.iter().filter(|&token| token != END).collect();
        if all.is_empty() {
            return Some(text);
        }
        let closes = |token: &&TokenId| {
            let text = vocabulary.text(**token).expect("a token");
            text.iter().any(|byte| b"\"}])\n;".contains(byte))
                && !text.iter().any(|byte| b"{[(,".contains(byte))
        };
        let closing: Vec<TokenId> = all.iter().filter(closes).copied().collect();
        let from = if n > n_most / 4 && !closing.is_empty() && chance.below(4) > 0 { &closing } else { &all };
        let token = from[chance.below(from.len())];
        constraint.accept(token).expect("it was allowed");
        text.extend_from_slice(vocabulary.text(token).expect("a token"));
    }
    None
}
