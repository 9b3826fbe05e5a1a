//! What each token prints: its text with the vocabulary's spelling undone.

use super::{BpeVariant, ESCAPED_SPACE, KMER_MARK, Texts, TokenAttr, Vocab, VocabKind};
use crate::bytes::byte_of_char;
use crate::{Error, Result, TokenId};

impl Vocab {
    /// What every token prints, special tokens by their text. Done once: a generated token is then one copy.
    pub(super) fn render_pieces(&self) -> Result<Texts> {
        let first_kmer = match self.variant {
            BpeVariant::HybridDna => self.find("<oov>"),
            _ => None,
        };
        let mut pieces = Texts::with_capacity(self.texts.len(), 8 * self.texts.len());
        let mut piece = Vec::new();
        let mut n_bytes = 0;
        for (id, (text, &attr)) in (0..).zip(self.texts.iter().zip(&self.attrs)) {
            let text = match first_kmer {
                Some(oov) if id > oov => text.strip_suffix(KMER_MARK.as_bytes()).unwrap_or(text),
                _ => text,
            };
            piece.clear();
            self.render(id, text, attr, &mut piece);
            n_bytes += piece.len();
            if n_bytes > u32::MAX as usize {
                return Err(Error::TooLarge { key: "tokenizer.ggml.tokens", n: pieces.len(), n_bytes });
            }
            pieces.push(&piece);
        }
        Ok(pieces)
    }

    fn render(&self, id: TokenId, text: &[u8], attr: TokenAttr, piece: &mut Vec<u8>) {
        const VERBATIM: TokenAttr = TokenAttr::CONTROL.or(TokenAttr::UNKNOWN).or(TokenAttr::USER_DEFINED);
        match self.kind {
            VocabKind::None => {}
            VocabKind::Test => piece.extend_from_slice(format!("{id:x}").as_bytes()),
            VocabKind::Rwkv => unescape_rwkv(text, piece),
            VocabKind::Plamo2 => match escaped_byte(text).filter(|_| attr.has(TokenAttr::BYTE)) {
                Some(byte) => piece.push(byte),
                None => piece.extend_from_slice(text),
            },
            _ if attr.has(VERBATIM) => piece.extend_from_slice(text),
            VocabKind::Bpe if attr.has(TokenAttr::NORMAL) && !self.flags.escape_spaces => {
                decode_byte_chars(text, piece);
            }
            _ if attr.has(TokenAttr::NORMAL) => unescape_spaces(text, piece),
            _ if attr.has(TokenAttr::BYTE) => match escaped_byte(text) {
                Some(byte) => piece.push(byte),
                None => piece.extend_from_slice(text),
            },
            // Unused tokens and those of no type print nothing.
            _ => {}
        }
    }
}

/// The byte that a text like `<0x0A>` names.
pub(crate) fn escaped_byte(text: &[u8]) -> Option<u8> {
    let [b'<', b'0', b'x', high, low, b'>'] = *text else {
        return None;
    };
    let digit = |c: u8| char::from(c).to_digit(16);
    Some((digit(high)? << 4 | digit(low)?) as u8)
}

fn unescape_spaces(text: &[u8], out: &mut Vec<u8>) {
    let escaped = ESCAPED_SPACE.as_bytes();
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        if let Some(after) = rest.strip_prefix(escaped) {
            out.push(b' ');
            rest = after;
        } else {
            out.push(first);
            rest = after;
        }
    }
}

/// Undoes the byte alphabet. Characters outside of it print what the reference prints for them.
fn decode_byte_chars(text: &[u8], out: &mut Vec<u8>) {
    for chunk in text.utf8_chunks() {
        let broken = std::iter::repeat_n(char::REPLACEMENT_CHARACTER, chunk.invalid().len());
        for c in chunk.valid().chars().chain(broken) {
            if let Some(byte) = byte_of_char(c) {
                out.push(byte);
                continue;
            }
            out.extend_from_slice(b"[UNK_BYTE_0x");
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                out.extend_from_slice(format!("{byte:02x}").as_bytes());
            }
            out.extend_from_slice(text);
            out.push(b']');
        }
    }
}

/// Undoes the escapes of RWKV vocabularies: `\n`, `\t`, `\r`, `\xHH`; any other escaped character is itself.
pub(crate) fn unescape_rwkv(text: &[u8], out: &mut Vec<u8>) {
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        match bytes.next() {
            Some(b't') => out.push(b'\t'),
            Some(b'n') => out.push(b'\n'),
            Some(b'r') => out.push(b'\r'),
            Some(b'x') => {
                if let (Some(high), Some(low)) = (bytes.next(), bytes.next()) {
                    out.push(hex_value(high) << 4 | hex_value(low));
                }
            }
            Some(other) => out.push(other),
            None => {}
        }
    }
}

fn hex_value(digit: u8) -> u8 {
    char::from(digit).to_digit(16).unwrap_or(0) as u8
}
