//! BPE by merge rank, on the bytes of a word (GPT-2 and its heirs) or on its characters (Gemma 4).

use super::joints::Joints;
use super::memo::Memo;
use super::merges::{Merge, Merger};
use super::pairs::PairTable;
use crate::bytes::{CHAR_OF_BYTE, byte_of_char, encode_bytes};
use crate::pretokenize::PreTokenizer;
use crate::vocab::{Texts, Vocab};
use crate::{Error, Result, TokenId};
use std::collections::HashMap;

/// Merge rules of a vocabulary.
#[derive(Debug)]
pub(crate) struct Bpe {
    pre: &'static PreTokenizer,
    pairs: PairTable,
    /// Symbol of each byte (byte-level) or ASCII character.
    symbols: [u32; 256],
    /// Texts of the symbols that only merges name; they are numbered from the number of tokens on.
    extra: Texts,
    /// Where a line may be cut before an escaped space.
    joints: Option<Joints>,
    memo: Memo,
}

/// Marks a character without a token; the rest is its byte (byte-level) or its code point.
const NO_TOKEN: u32 = 1 << 31;

impl Bpe {
    pub(crate) fn new(
        vocab: &Vocab,
        pre: &'static PreTokenizer,
        merges: Option<Texts>,
        model: &str,
    ) -> Result<Self> {
        let merges = match merges {
            Some(merges) => merges,
            None if pre.merges_optional => Texts::default(),
            None => {
                return Err(Error::Missing { key: "tokenizer.ggml.merges", model: model.to_owned() });
            }
        };
        let symbols = std::array::from_fn(|byte| {
            let c = if pre.byte_level { CHAR_OF_BYTE[byte] } else { char::from(byte as u8) };
            vocab.find(c.encode_utf8(&mut [0; 4])).unwrap_or(NO_TOKEN | byte as u32)
        });
        let mut bpe = Self {
            pre,
            pairs: PairTable::with_capacity(merges.len()),
            symbols,
            extra: Texts::default(),
            joints: pre.escape_spaces.then(|| Joints::before('\u{2581}')),
            memo: Memo::new(vocab.len()),
        };
        bpe.read_merges(vocab, &merges)?;
        Ok(bpe)
    }

    /// Appends the tokens of `text`.
    pub(crate) fn encode(&self, vocab: &Vocab, text: &str, scratch: &mut Scratch, out: &mut Vec<TokenId>) {
        self.pre.split(text, &mut |word| self.encode_word(vocab, word, scratch, out));
    }

    fn encode_word(&self, vocab: &Vocab, word: &str, scratch: &mut Scratch, out: &mut Vec<TokenId>) {
        if let Some(joints) = &self.joints {
            if self.pre.whole_newlines
                && word.starts_with('\n')
                && let Some(id) = vocab.find(word)
            {
                out.push(id);
                return;
            }
            joints.cut(word, |part| self.encode_part(vocab, part, scratch, out));
        } else {
            self.encode_part(vocab, word, scratch, out);
        }
    }

    fn encode_part(&self, vocab: &Vocab, part: &str, scratch: &mut Scratch, out: &mut Vec<TokenId>) {
        let whole = if self.pre.byte_level {
            scratch.encoded.clear();
            if part.len() <= vocab.index.longest() {
                encode_bytes(part.as_bytes(), &mut scratch.encoded);
                vocab.find(&scratch.encoded)
            } else {
                None
            }
        } else {
            vocab.find(part)
        };
        if let Some(id) = whole.filter(|&id| self.pre.whole_words || self.memo.merges_to_itself(id)) {
            out.push(id);
            return;
        }
        let symbols = self.merge(vocab, part, &mut scratch.merger);
        if let Some(id) = whole {
            self.memo.note(id, symbols == [id]);
        }
        for &symbol in symbols {
            if (symbol as usize) < vocab.len() {
                out.push(symbol);
            } else {
                self.spell(vocab, symbol, out);
            }
        }
    }

    fn merge<'m>(&self, vocab: &Vocab, part: &str, merger: &'m mut Merger) -> &'m [u32] {
        merger.clear();
        if self.pre.byte_level {
            merger.extend(part.bytes().map(|byte| self.symbols[usize::from(byte)]));
        } else {
            merger.extend(part.chars().map(|c| match self.symbols.get(c as usize) {
                Some(&symbol) => symbol,
                None => vocab.find(c.encode_utf8(&mut [0; 4])).unwrap_or(NO_TOKEN | u32::from(c)),
            }));
        }
        merger.run(|left, right| self.pairs.find(left, right))
    }

    /// A symbol without a token becomes the tokens of its bytes, as far as there are any.
    fn spell(&self, vocab: &Vocab, symbol: u32, out: &mut Vec<TokenId>) {
        let mut utf8 = [0; 4];
        let text = if symbol & NO_TOKEN == 0 {
            self.extra.get(symbol as usize - vocab.len()).unwrap_or_default()
        } else if self.pre.byte_level {
            CHAR_OF_BYTE[(symbol & 0xff) as usize].encode_utf8(&mut utf8).as_bytes()
        } else {
            let c = char::from_u32(symbol & !NO_TOKEN).unwrap_or(char::REPLACEMENT_CHARACTER);
            c.encode_utf8(&mut utf8).as_bytes()
        };
        out.extend(text.iter().filter_map(|&byte| match self.pre.byte_level {
            true => vocab.find([byte]),
            false => vocab.byte_escape(byte),
        }));
    }

    fn read_merges(&mut self, vocab: &Vocab, merges: &Texts) -> Result<()> {
        let mut extra = HashMap::new();
        let mut joined = Vec::new();
        let mut guess = 0;
        for (rank, merge) in (0..).zip(merges.iter()) {
            let (left, right) = split_merge(merge).ok_or_else(|| Error::Merge {
                rank: rank as usize,
                merge: String::from_utf8_lossy(merge).into_owned(),
            })?;
            joined.clear();
            joined.extend_from_slice(left);
            joined.extend_from_slice(right);
            let mut symbol_of = |text: &[u8]| self.symbol_of(vocab, text, &mut extra);
            // Merges are mostly listed in the order of the tokens they make.
            let whole = if vocab.text(guess) == Some(&joined) { Some(guess) } else { symbol_of(&joined) };
            let (Some(left), Some(right), Some(symbol)) = (symbol_of(left), symbol_of(right), whole) else {
                continue;
            };
            guess = symbol.wrapping_add(1);
            self.pairs.insert(left, right, Merge { rank, symbol });
            if let Some(joints) = &mut self.joints {
                joints.add(&joined);
            }
        }
        Ok(())
    }

    /// The symbol of a text that a merge names; `None` where no input can ever have it.
    fn symbol_of(&mut self, vocab: &Vocab, text: &[u8], extra: &mut HashMap<Vec<u8>, u32>) -> Option<u32> {
        if let Some(id) = vocab.find(text) {
            return Some(id);
        }
        let valid = std::str::from_utf8(text).ok()?;
        let mut chars = valid.chars();
        if let (Some(c), None) = (chars.next(), chars.next()) {
            return Some(
                NO_TOKEN | if self.pre.byte_level { u32::from(byte_of_char(c)?) } else { u32::from(c) },
            );
        }
        let next = (vocab.len() + self.extra.len()) as u32;
        let symbol = *extra.entry(text.to_vec()).or_insert(next);
        if symbol == next {
            self.extra.push(text);
        }
        Some(symbol)
    }
}

/// Memory of encoding, kept between words.
#[derive(Default)]
pub(crate) struct Scratch {
    encoded: Vec<u8>,
    merger: Merger,
}

/// Splits a merge at its first space after the first byte.
fn split_merge(merge: &[u8]) -> Option<(&[u8], &[u8])> {
    let space = merge.iter().skip(1).position(|&byte| byte == b' ')? + 1;
    let right = &merge[space + 1..];
    (!right.is_empty()).then_some((&merge[..space], right))
}
