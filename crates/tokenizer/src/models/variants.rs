//! BPE with a twist: DNA spelled in groups of six letters, and white space that separates and disappears.

use super::bpe::{Bpe, Scratch};
use crate::TokenId;
use crate::unicode::{Class, to_lower};
use crate::vocab::{KMER_MARK, Vocab};

/// Text between `<dna>` and `</dna>` is spelled in groups of six letters.
#[derive(Debug)]
pub(crate) struct HybridDna {
    bpe: Bpe,
    /// `None` where the vocabulary has no DNA.
    dna: Option<DnaIds>,
}

#[derive(Debug)]
struct DnaIds {
    open: TokenId,
    close: TokenId,
    unknown: TokenId,
}

const OPEN: &str = "<dna>";
const CLOSE: &str = "</dna>";
const UNKNOWN: &str = "<oov>";
/// Letters of a group.
const K: usize = 6;

impl HybridDna {
    pub(crate) fn new(vocab: &Vocab, bpe: Bpe) -> Self {
        let ids = (vocab.find(OPEN), vocab.find(CLOSE), vocab.find(UNKNOWN));
        let dna = match ids {
            (Some(open), Some(close), Some(unknown)) => Some(DnaIds { open, close, unknown }),
            _ => None,
        };
        Self { bpe, dna }
    }

    /// Appends the tokens of `text`.
    pub(crate) fn encode(&self, vocab: &Vocab, text: &str, out: &mut Vec<TokenId>) {
        let scratch = &mut Scratch::default();
        let Some(dna) = &self.dna else {
            self.bpe.encode(vocab, text, scratch, out);
            return;
        };
        let mut rest = text;
        while let Some((before, after)) = rest.split_once(OPEN) {
            self.bpe.encode(vocab, before, scratch, out);
            out.push(dna.open);
            let Some((letters, after)) = after.split_once(CLOSE) else {
                dna.encode(vocab, after, out);
                return;
            };
            dna.encode(vocab, letters, out);
            out.push(dna.close);
            rest = after;
        }
        self.bpe.encode(vocab, rest, scratch, out);
    }
}

impl DnaIds {
    /// Appends the groups of `letters`; the last is filled up with `A`.
    fn encode(&self, vocab: &Vocab, letters: &str, out: &mut Vec<TokenId>) {
        for group in letters.as_bytes().chunks(K) {
            let mut marked = [b'A'; K + KMER_MARK.len()];
            marked[..group.len()].copy_from_slice(group);
            marked[..K].make_ascii_uppercase();
            marked[K..].copy_from_slice(KMER_MARK.as_bytes());
            out.push(vocab.find(marked).unwrap_or(self.unknown));
        }
    }
}

/// Appends the tokens of `text`, cut at its white space.
pub(crate) fn encode_without_space(vocab: &Vocab, bpe: &Bpe, text: &str, out: &mut Vec<TokenId>) {
    let scratch = &mut Scratch::default();
    let mut lowered = String::new();
    for word in text.split(|c: char| Class::of(u32::from(c)).is(Class::WHITESPACE)) {
        if vocab.flags.lowercase {
            lowered.clear();
            lowered.extend(word.chars().map(to_lower));
            bpe.encode(vocab, &lowered, scratch, out);
        } else {
            bpe.encode(vocab, word, scratch, out);
        }
    }
}
