//! RWKV: the longest token that the text starts with, again and again.

use crate::TokenId;
use crate::trie::Trie;
use crate::vocab::{Texts, Vocab, unescape_rwkv};

/// The tokens of a vocabulary with their escapes undone.
#[derive(Debug)]
pub(crate) struct Rwkv {
    tokens: Trie,
}

impl Rwkv {
    pub(crate) fn new(vocab: &Vocab) -> Self {
        let mut texts = Texts::with_capacity(vocab.len(), 8 * vocab.len());
        let mut bytes = Vec::new();
        for text in vocab.texts.iter() {
            bytes.clear();
            unescape_rwkv(text, &mut bytes);
            // Never longer than the text: the offsets stay in range.
            texts.push(&bytes);
        }
        Self { tokens: Trie::build(texts.iter().zip(0..)) }
    }

    /// Appends the tokens of `text`. A byte that starts no token is unknown.
    pub(crate) fn encode(&self, vocab: &Vocab, text: &str, out: &mut Vec<TokenId>) {
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            let (len, token) = match self.tokens.longest(rest) {
                Some((len, token)) => (len, Some(token)),
                None => (1, vocab.special().unk),
            };
            out.extend(token);
            rest = &rest[len..];
        }
    }
}
