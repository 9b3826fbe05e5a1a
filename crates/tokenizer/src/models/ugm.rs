//! Unigram (T5, XLM-RoBERTa): of all ways to spell the normalized text, the one whose tokens score best together.

use super::charsmap::Charsmap;
use super::joints::Joints;
use super::memo::Memo;
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
    /// Where text may be cut before a space.
    joints: Joints,
    memo: Memo,
    /// Score of each token; of those that the user defined it is the best there is, 0.
    scores: Vec<f32>,
    unknown_score: f64,
    /// ASCII characters that normalizing leaves alone unless something beyond ASCII follows.
    plain: [bool; 128],
}

/// Memory of encoding, kept between parts.
#[derive(Default)]
struct Scratch {
    /// Tokens there were before the text.
    start: usize,
    best: Vec<Best>,
    tokens: Vec<Option<TokenId>>,
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
        let normal = with(TokenAttr::NORMAL).filter_map(|(_, id)| vocab.score(id));
        let worst = normal.fold(f32::MAX, |worst, score| if score < worst { score } else { worst });
        let score = |id| match vocab.attr(id).has(TokenAttr::USER_DEFINED) {
            true => 0.0,
            false => vocab.score(id).unwrap_or(0.0),
        };
        let verbatim = Trie::build(with(TokenAttr::USER_DEFINED));
        let charsmap = charsmap.map(Charsmap::new).transpose()?.unwrap_or_default();
        let plain = std::array::from_fn(|byte| {
            let byte = byte as u8;
            byte != b' ' && !verbatim.starts_with(byte) && charsmap.spares(byte)
        });
        let mut joints = Joints::before('\u{2581}');
        for text in vocab.texts.iter() {
            joints.add(text);
        }
        Ok(Self {
            joints,
            memo: Memo::new(vocab.len()),
            tokens: Trie::build(with(TokenAttr::NORMAL | TokenAttr::USER_DEFINED | TokenAttr::UNUSED)),
            verbatim,
            charsmap,
            scores: (0..vocab.len() as TokenId).map(score).collect(),
            unknown_score: f64::from(worst - UNKNOWN_PENALTY),
            plain,
        })
    }

    /// Appends the tokens of `text`.
    pub(crate) fn encode(&self, vocab: &Vocab, text: &str, out: &mut Vec<TokenId>) {
        let normalized = self.normalize(vocab, text.as_bytes());
        let mut scratch = Scratch { start: out.len(), ..Scratch::default() };
        self.joints
            .ranges(&normalized, |range| self.encode_part(vocab, &normalized[range], &mut scratch, out));
    }

    /// Appends the tokens of a part that no token crosses the ends of. Scores add up without rounding, as they have
    /// half the digits of their sum: the best of each part is the best of all.
    fn encode_part(&self, vocab: &Vocab, part: &[u8], scratch: &mut Scratch, out: &mut Vec<TokenId>) {
        let whole = vocab.find(part);
        if let Some(id) = whole.filter(|&id| self.memo.merges_to_itself(id)) {
            out.push(id);
            return;
        }
        let Scratch { start, best, tokens } = scratch;
        self.spell(part, best);
        tokens.clear();
        let mut end = part.len();
        while end > 0 {
            let Best { token, len, .. } = best[end];
            tokens.push(token);
            end = if len == 0 { 0 } else { end - len as usize };
        }
        let unknown = vocab.special().unk;
        if let Some(id) = whole {
            self.memo.note(id, tokens == &[Some(id)] && whole != unknown);
        }
        for &token in tokens.iter().rev() {
            let token = token.or(unknown);
            // A stretch of unknown characters is one token.
            if token != unknown || out.len() == *start || out.last().copied() != unknown {
                out.extend(token);
            }
        }
    }

    /// The best way to each place of `text`.
    fn spell(&self, text: &[u8], best: &mut Vec<Best>) {
        best.clear();
        best.resize(text.len() + 1, UNREACHED);
        best[0].score = 0.0;
        let mut at = 0;
        while at < text.len() {
            let here = best[at].score;
            let char_len = char_len(text[at]).min(text.len() - at);
            let mut spells_char = false;
            for (len, token) in self.tokens.prefixes(&text[at..]) {
                spells_char |= len == char_len;
                let score = f64::from(self.scores[token as usize]);
                offer(&mut best[at + len], Best { score: here + score, token: Some(token), len: len as u32 });
            }
            if !spells_char {
                let unknown = Best { score: here + self.unknown_score, token: None, len: char_len as u32 };
                offer(&mut best[at + char_len], unknown);
            }
            at += char_len;
        }
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
            let n_plain = if in_word { self.n_plain(&text[at..]) } else { 0 };
            normalized.extend_from_slice(&text[at..at + n_plain]);
            at += n_plain;
            if at == text.len() {
                break;
            }
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

    /// How many bytes at the start of `text` normalizing leaves alone for sure.
    fn n_plain(&self, text: &[u8]) -> usize {
        let is_plain = |byte: u8| self.plain.get(usize::from(byte)) == Some(&true);
        let n = text.iter().take_while(|&&byte| is_plain(byte)).count();
        if text.get(n).is_some_and(|next| !next.is_ascii()) { n.saturating_sub(1) } else { n }
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
