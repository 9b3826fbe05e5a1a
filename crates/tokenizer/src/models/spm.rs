//! SentencePiece BPE: neighbours merge when together they are a token, the best-scored token first.

use super::joints::Joints;
use super::memo::Memo;
use super::merges::{Merge, Merger};
use crate::TokenId;
use crate::vocab::{ESCAPED_SPACE, Vocab};

/// What encoding with a scored vocabulary needs besides the vocabulary.
#[derive(Debug)]
pub(crate) struct Spm {
    joints: Joints,
    memo: Memo,
}

/// Marks a character without a token; the rest is its code point.
const NO_TOKEN: u32 = 1 << 31;

impl Spm {
    pub(crate) fn new(vocab: &Vocab) -> Self {
        let mut joints = Joints::before('\u{2581}');
        for text in vocab.texts.iter() {
            joints.add(text);
        }
        Self { joints, memo: Memo::new(vocab.len()) }
    }

    /// Appends the tokens of `text`, with a space before it where asked.
    pub(crate) fn encode(&self, vocab: &Vocab, text: &str, prefix_space: bool, out: &mut Vec<TokenId>) {
        let mut escaped = String::with_capacity(text.len() + text.len() / 2);
        if prefix_space {
            escaped.push_str(ESCAPED_SPACE);
        }
        escape_spaces(text, &mut escaped);
        let mut merger = Merger::default();
        let mut joined = Vec::new();
        self.joints.cut(&escaped, |part| {
            let whole = vocab.find(part);
            if let Some(id) = whole.filter(|&id| self.memo.merges_to_itself(id)) {
                out.push(id);
                return;
            }
            merger.clear();
            merger.extend(part.chars().map(|c| symbol_of(vocab, c)));
            let symbols = merger.run(|left, right| merge(vocab, left, right, &mut joined));
            if let Some(id) = whole {
                self.memo.note(id, symbols == [id]);
            }
            for &symbol in symbols {
                if symbol & NO_TOKEN == 0 {
                    out.push(symbol);
                } else {
                    spell(vocab, symbol, out);
                }
            }
        });
    }
}

/// Appends `text` with its spaces made visible.
pub(crate) fn escape_spaces(text: &str, out: &mut String) {
    let mut parts = text.split(' ');
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        out.push_str(ESCAPED_SPACE);
        out.push_str(part);
    }
}

fn symbol_of(vocab: &Vocab, c: char) -> u32 {
    vocab.find(c.encode_utf8(&mut [0; 4])).unwrap_or(NO_TOKEN | u32::from(c))
}

/// The token that two symbols make together. A character without a token is part of no merge but this one.
fn merge(vocab: &Vocab, left: u32, right: u32, joined: &mut Vec<u8>) -> Option<Merge> {
    joined.clear();
    for symbol in [left, right] {
        if symbol & NO_TOKEN == 0 {
            joined.extend_from_slice(vocab.text(symbol)?);
        } else {
            joined.extend_from_slice(char::from_u32(symbol & !NO_TOKEN)?.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
    let symbol = vocab.find(&joined)?;
    Some(Merge { rank: rank(vocab.score(symbol)?), symbol })
}

/// Order-preserving image of falling scores; equal scores stay equal, NaN comes last.
fn rank(score: f32) -> u32 {
    if score.is_nan() {
        return u32::MAX;
    }
    // Adding zero makes -0 and 0 one.
    let bits = (score + 0.0).to_bits();
    if bits >> 31 == 0 { !(bits | 1 << 31) } else { bits }
}

/// A character without a token becomes byte tokens, or the unknown token.
fn spell(vocab: &Vocab, symbol: u32, out: &mut Vec<TokenId>) {
    let c = char::from_u32(symbol & !NO_TOKEN).unwrap_or(char::REPLACEMENT_CHARACTER);
    for byte in c.encode_utf8(&mut [0; 4]).bytes() {
        out.extend(vocab.byte_token(byte).or(vocab.special().unk));
    }
}
