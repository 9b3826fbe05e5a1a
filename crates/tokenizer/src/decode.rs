//! Tokens to text: whole sequences, and one token at a time.

use crate::vocab::TokenAttr;
use crate::{TokenId, Tokenizer};

/// How to turn tokens into text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Decode {
    /// Print control and unknown tokens by their text instead of hiding them.
    pub special: bool,
    /// Drop the BOS and EOS that encoding adds, instead of printing or hiding them.
    pub remove_special: bool,
}

impl Tokenizer {
    /// Text of a sequence. Bytes, because tokens may cut characters in two; ids beyond the vocabulary print nothing.
    pub fn decode(&self, ids: &[TokenId], opts: Decode) -> Vec<u8> {
        let vocab = self.vocab();
        let mut ids = ids;
        let mut strip_space = vocab.add_space_prefix();
        if opts.remove_special {
            if let [first, rest @ ..] = ids
                && vocab.add_bos()
                && Some(*first) == vocab.special().bos
            {
                ids = rest;
                strip_space = false;
            }
            if let [rest @ .., last] = ids
                && vocab.add_eos()
                && Some(*last) == vocab.special().eos
            {
                ids = rest;
            }
        }
        let mut text = Vec::with_capacity(4 * ids.len());
        for &id in ids {
            let piece = self.piece(id, opts.special);
            let stripped = if strip_space { piece.strip_prefix(b" ") } else { None };
            text.extend_from_slice(stripped.unwrap_or(piece));
            strip_space = false;
        }
        if vocab.flags.clean_spaces { clean_spaces(&text) } else { text }
    }

    /// Bytes that one token prints; nothing for control and unknown tokens unless `special`, and for ids beyond the
    /// vocabulary.
    pub fn piece(&self, id: TokenId, special: bool) -> &[u8] {
        let vocab = self.vocab();
        if !special && vocab.attr(id).has(TokenAttr::CONTROL | TokenAttr::UNKNOWN) {
            return &[];
        }
        vocab.pieces.get(id as usize).unwrap_or_default()
    }
}

/// Undoes the spaces that WordPiece and old byte-level vocabularies put before punctuation. Three passes, because
/// each works on what the one before left.
fn clean_spaces(text: &[u8]) -> Vec<u8> {
    let text = drop_spaces(text, |next| matches!(next, [b'?' | b'!' | b'.' | b',', ..]));
    let text = join_quotes(&text);
    drop_spaces(&text, |next| matches!(next, [b'\'', b's' | b'm', ..] | [b'\'', b'r' | b'v', b'e', ..]))
}

/// The text without the spaces before which `drops` says so.
fn drop_spaces(text: &[u8], drops: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut kept = Vec::with_capacity(text.len());
    let mut start = 0;
    for (at, _) in text.iter().enumerate().filter(|&(_, &byte)| byte == b' ') {
        if drops(&text[at + 1..]) {
            kept.extend_from_slice(&text[start..at]);
            start = at + 1;
        }
    }
    kept.extend_from_slice(&text[start..]);
    kept
}

/// `" ' "` becomes `"'"`.
fn join_quotes(text: &[u8]) -> Vec<u8> {
    let mut joined = Vec::with_capacity(text.len());
    let mut start = 0;
    for (at, _) in text.iter().enumerate().filter(|&(_, &byte)| byte == b'\'') {
        // A space that was taken away already is not there for the next quote.
        if at > start && text[at - 1] == b' ' && text.get(at + 1) == Some(&b' ') {
            joined.extend_from_slice(&text[start..at - 1]);
            joined.push(b'\'');
            start = at + 2;
        }
    }
    // After a quote at the end of all there is nothing left.
    joined.extend_from_slice(text.get(start..).unwrap_or_default());
    joined
}

#[cfg(test)]
mod tests {
    use super::clean_spaces;

    #[test]
    fn spaces_before_punctuation_go() {
        for (text, expected) in [
            ("", ""),
            ("a b", "a b"),
            ("a ?", "a?"),
            ("a  ! b .c , d", "a ! b.c, d"),
            (" .", "."),
            (" ' ", "'"),
            ("a ' b", "a'b"),
            ("a ' ' b", "a'' b"),
            ("a '  ' b", "a''b"),
            ("it 's I 'm we 're they 've", "it's I'm we're they've"),
            ("don 't he 'd she 'll", "don 't he 'd she 'll"),
            ("x ' s", "x's"),
            ("'", "'"),
            (" '", " '"),
        ] {
            assert_eq!(String::from_utf8_lossy(&clean_spaces(text.as_bytes())), expected, "{text:?}");
        }
    }
}
