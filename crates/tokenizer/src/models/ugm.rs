//! Unigram (T5, XLM-RoBERTa): of all ways to spell the normalized text, the one whose tokens score best together.

use super::charsmap::Charsmap;
use crate::trie::Trie;
use crate::vocab::{ESCAPED_SPACE, TokenAttr, Vocab};
use crate::{Result, TokenId};

/// What encoding with a unigram vocabulary needs besides the vocabulary.
#[derive(Debug)]
pub(crate) struct Ugm {
    /// Tokens that text may be spelled with.
    tokens: Trie,
    /// Tokens whose text is never normalized.
    verbatim: Trie,
    charsmap: Charsmap,
    unknown_score: f64,
}

/// The best way to spell the text up to some place.
#[derive(Clone, Copy)]
struct Best {
    score: f64,
    /// `None` is the unknown token.
    token: Option<TokenId>,
    /// Bytes of that last token; 0 where no way is known, which counts as one token for everything.
    len: u32,
}

const UNREACHED: Best = Best { score: f64::MIN, token: None, len: 0 };
/// How much worse than the worst token the unknown token is.
const UNKNOWN_PENALTY: f32 = 10.0;

impl Ugm {
    pub(crate) fn new(vocab: &Vocab, charsmap: Option<&[u8]>) -> Result<Self> {
        let with = |attrs| {
            let ids = (0..vocab.len() as TokenId).filter(move |&id| vocab.attr(id).has(attrs));
            ids.filter_map(|id| Some((vocab.text(id)?, id)))
        };
        let scores = with(TokenAttr::NORMAL).filter_map(|(_, id)| vocab.score(id));
        let worst = scores.fold(f32::MAX, |worst, score| if score < worst { score } else { worst });
        Ok(Self {
            tokens: Trie::build(with(TokenAttr::NORMAL | TokenAttr::USER_DEFINED | TokenAttr::UNUSED)),
            verbatim: Trie::build(with(TokenAttr::USER_DEFINED)),
            charsmap: charsmap.map(Charsmap::new).transpose()?.unwrap_or_default(),
            unknown_score: f64::from(worst - UNKNOWN_PENALTY),
        })
    }

    /// Appends the tokens of `text`.
    pub(crate) fn encode(&self, vocab: &Vocab, text: &str, out: &mut Vec<TokenId>) {
        let normalized = self.normalize(vocab, text.as_bytes());
        let best = self.spell(vocab, &normalized);
        let n_before = out.len();
        let unknown = vocab.special().unk;
        let mut end = normalized.len();
        let mut after_unknown = false;
        while end > 0 {
            let Best { token, len, .. } = best[end];
            let token = token.or(unknown);
            let is_unknown = token == unknown;
            if !(is_unknown && after_unknown) {
                out.extend(token);
            }
            after_unknown = is_unknown;
            end = if len == 0 { 0 } else { end - len as usize };
        }
        out[n_before..].reverse();
    }

    /// The best way to each place of `text`.
    fn spell(&self, vocab: &Vocab, text: &[u8]) -> Vec<Best> {
        let mut best = vec![UNREACHED; text.len() + 1];
        best[0].score = 0.0;
        let mut at = 0;
        while at < text.len() {
            let here = best[at].score;
            let char_len = char_len(text[at]).min(text.len() - at);
            let mut spells_char = false;
            for (len, token) in self.tokens.prefixes(&text[at..]) {
                spells_char |= len == char_len;
                let score = if vocab.attr(token).has(TokenAttr::USER_DEFINED) {
                    0.0
                } else {
                    f64::from(vocab.score(token).unwrap_or(0.0))
                };
                offer(&mut best[at + len], Best { score: here + score, token: Some(token), len: len as u32 });
            }
            if !spells_char {
                let unknown = Best { score: here + self.unknown_score, token: None, len: char_len as u32 };
                offer(&mut best[at + char_len], unknown);
            }
            at += char_len;
        }
        best
    }

    /// The text as the vocabulary spells it: characters mapped, spaces visible, merged and put first as the file
    /// says.
    fn normalize(&self, vocab: &Vocab, text: &[u8]) -> Vec<u8> {
        let flags = &vocab.flags;
        let mut normalized = Vec::with_capacity(text.len() + text.len() / 4 + ESCAPED_SPACE.len());
        let space = if flags.escape_spaces { ESCAPED_SPACE.as_bytes() } else { b" " };
        let mut wants_first_space = flags.add_space_prefix;
        let mut in_word = false;
        let mut at = 0;
        while at < text.len() {
            let (piece, n_read) = self.normalize_one(&text[at..]);
            at += n_read;
            for &byte in piece {
                if byte == b' ' {
                    in_word = false;
                    if !flags.remove_extra_spaces {
                        normalized.extend_from_slice(space);
                    }
                    continue;
                }
                if !std::mem::replace(&mut in_word, true) && (wants_first_space || flags.remove_extra_spaces)
                {
                    normalized.extend_from_slice(space);
                    wants_first_space = false;
                }
                normalized.push(byte);
            }
        }
        normalized
    }

    /// What the start of `text` becomes, and its length.
    fn normalize_one<'a>(&'a self, text: &'a [u8]) -> (&'a [u8], usize) {
        // The start of a token counts, not only a whole one, even where that is half a character: the reference's
        // vocabularies were measured with it.
        let n_verbatim = self.verbatim.path_len(text);
        if n_verbatim > 0 {
            return (&text[..n_verbatim], n_verbatim);
        }
        if let Some((len, replacement)) = self.charsmap.longest(text) {
            return (replacement, len);
        }
        let len = char_len(text[0]).min(text.len());
        match std::str::from_utf8(&text[..len]) {
            Ok(_) => (&text[..len], len),
            Err(_) => ("\u{fffd}".as_bytes(), 1),
        }
    }
}

fn offer(best: &mut Best, candidate: Best) {
    if candidate.score > best.score {
        *best = candidate;
    }
}

/// Length of the UTF-8 sequence that starts with `first`; a byte that starts none counts alone.
fn char_len(first: u8) -> usize {
    match first {
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xff => 4,
        _ => 1,
    }
}
