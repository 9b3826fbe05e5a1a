//! Finding special tokens in raw text, before it is split into words.
//!
//! The longest special token is looked for first, in all of the text; then shorter ones in what is left. That is the
//! reference's order, and not the same as scanning from left to right where two special tokens overlap.

use crate::TokenId;
use crate::trie::Trie;
use crate::vocab::{TokenAttr, Vocab};
use std::collections::BTreeMap;
use std::ops::Range;

/// A stretch of the input: text to be split into words, or a special token found in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fragment<'t> {
    Text(&'t str),
    Token(TokenId),
}

/// The special tokens of a vocabulary, ready to be found.
#[derive(Debug)]
pub(crate) struct Partition {
    all: Trie,
    /// Those found even where special tokens are not parsed.
    always: Trie,
}

/// A special token found, and the stretch it takes with the white space it swallows.
struct Found {
    token: TokenId,
    range: Range<usize>,
}

impl Partition {
    pub(crate) fn new(vocab: &Vocab) -> Self {
        let hidden = TokenAttr::CONTROL | TokenAttr::UNKNOWN;
        let trie = |parse_special| {
            let tokens = vocab.special_tokens().filter(|&id| parse_special || !vocab.attr(id).has(hidden));
            let texts = tokens.filter_map(|id| Some((vocab.text(id)?, id)));
            // Others could be found in the middle of a character.
            Trie::build(texts.filter(|(text, _)| std::str::from_utf8(text).is_ok()))
        };
        Self { all: trie(true), always: trie(false) }
    }

    /// Cuts `text` at its special tokens. Empty stretches are left out. Tokens that touch a range of `plain` (ranges in
    /// order, apart from each other), and would be hidden when decoded, are text.
    pub(crate) fn split<'t>(
        &self,
        vocab: &Vocab,
        text: &'t str,
        parse_special: bool,
        plain: &[Range<usize>],
    ) -> Vec<Fragment<'t>> {
        let trie = if parse_special { &self.all } else { &self.always };
        let is_plain = |found: &Found| {
            let next = plain.partition_point(|p| p.end <= found.range.start);
            vocab.attr(found.token).has(TokenAttr::CONTROL | TokenAttr::UNKNOWN)
                && plain.get(next).is_some_and(|p| p.start < found.range.end)
        };
        let mut fragments = Vec::new();
        let mut end = 0;
        let found = find_all(trie, vocab, text.as_bytes()).into_iter().filter(|found| !is_plain(found));
        for Found { token, range } in found {
            if end < range.start {
                fragments.push(Fragment::Text(&text[end..range.start]));
            }
            fragments.push(Fragment::Token(token));
            end = range.end;
        }
        if end < text.len() {
            fragments.push(Fragment::Text(&text[end..]));
        }
        fragments
    }
}

/// All special tokens of `text`, in order.
fn find_all(trie: &Trie, vocab: &Vocab, text: &[u8]) -> Vec<Found> {
    // By length: where a token of that length may be.
    let mut open: BTreeMap<usize, Vec<(usize, TokenId)>> = BTreeMap::new();
    for (at, &byte) in text.iter().enumerate() {
        if trie.starts_with(byte)
            && let Some((len, token)) = trie.longest(&text[at..])
        {
            open.entry(len).or_default().push((at, token));
        }
    }
    if open.is_empty() {
        return Vec::new();
    }
    let mut taken = vec![false; text.len()];
    let mut found = Vec::new();
    while let Some((len, mut places)) = open.pop_last() {
        places.sort_unstable();
        for (at, token) in places {
            // What is taken already is at least as long as this: it covers one of its ends, if any of it.
            if taken[at] {
                continue;
            }
            if taken[at + len - 1] {
                let free = taken[at..].iter().position(|&taken| taken).unwrap_or(len);
                if let Some((len, token)) = trie.longest(&text[at..at + free]) {
                    open.entry(len).or_default().push((at, token));
                }
                continue;
            }
            let range = with_spaces(vocab.attr(token), text, &taken, at..at + len);
            taken[range.clone()].fill(true);
            found.push(Found { token, range });
        }
    }
    found.sort_unstable_by_key(|found| found.range.start);
    found
}

/// The stretch of a special token with the free white space it swallows.
fn with_spaces(attr: TokenAttr, text: &[u8], taken: &[bool], token: Range<usize>) -> Range<usize> {
    let swallows = |at: usize| !taken[at] && matches!(text[at], b' ' | b'\t'..=b'\r');
    let Range { mut start, mut end } = token;
    while attr.has(TokenAttr::LSTRIP) && start > 0 && swallows(start - 1) {
        start -= 1;
    }
    while attr.has(TokenAttr::RSTRIP) && end < text.len() && swallows(end) {
        end += 1;
    }
    start..end
}
