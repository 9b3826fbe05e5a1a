//! WordPiece (BERT): words are lower-cased and stripped of accents, then cut greedily into the longest tokens.

use crate::TokenId;
use crate::trie::Trie;
use crate::unicode::{Class, first_of_nfd, is_han, to_lower};
use crate::vocab::{ESCAPED_SPACE, Vocab};

/// The tokens of a vocabulary, ready for greedy matching.
#[derive(Debug)]
pub(crate) struct Wpm {
    tokens: Trie,
}

impl Wpm {
    pub(crate) fn new(vocab: &Vocab) -> Self {
        Self { tokens: Trie::build(vocab.texts.iter().zip(0..)) }
    }

    /// Appends the tokens of `text`.
    pub(crate) fn encode(&self, vocab: &Vocab, text: &str, out: &mut Vec<TokenId>) {
        let mut word = String::from(ESCAPED_SPACE);
        let mut end_word = |word: &mut String| {
            if word.len() > ESCAPED_SPACE.len() {
                self.encode_word(vocab, word, out);
                word.truncate(ESCAPED_SPACE.len());
            }
        };
        let flags = &vocab.flags;
        for c in text.chars() {
            let c = if flags.strip_accents && !c.is_ascii() { first_of_nfd(c) } else { c };
            let class = Class::of(u32::from(c));
            if class.is(Class::WHITESPACE) {
                end_word(&mut word);
                continue;
            }
            let vanishes = class.is(Class::CONTROL)
                || c == char::REPLACEMENT_CHARACTER
                || flags.strip_accents && class.is(Class::MARK);
            if vanishes {
                continue;
            }
            let stands_alone = class.is(Class::PUNCTUATION)
                || c.is_ascii() && class.is(Class::SYMBOL)
                || is_wordpiece_cjk(c);
            if stands_alone {
                end_word(&mut word);
            }
            word.push(if flags.lowercase { to_lower(c) } else { c });
            if stands_alone {
                end_word(&mut word);
            }
        }
        end_word(&mut word);
    }

    /// A word that is not all tokens is the unknown token.
    fn encode_word(&self, vocab: &Vocab, word: &str, out: &mut Vec<TokenId>) {
        // Most words are one token, and no start of it is longer.
        if let Some(id) = vocab.find(word) {
            out.push(id);
            return;
        }
        let n_before = out.len();
        let mut rest = word.as_bytes();
        while !rest.is_empty() {
            let Some((len, token)) = self.tokens.longest(rest) else {
                out.truncate(n_before);
                out.extend(vocab.special().unk);
                return;
            };
            out.push(token);
            rest = &rest[len..];
        }
    }
}

/// Han characters, but for the first of extension E: a slip of the original tokenizer that vocabularies rely on.
fn is_wordpiece_cjk(c: char) -> bool {
    is_han(u32::from(c)) && !matches!(u32::from(c), 0x2b820..=0x2b91f | 0x2ceb0..=0x2ebef)
}
