//! Tokens to text as they come: whole characters only, whatever the tokens cut in two.

use crate::decode::Decode;
use crate::{TokenId, Tokenizer};
use std::borrow::Borrow;

/// Decodes a sequence of tokens one at a time.
///
/// What all calls of [`push`](Self::push) and [`finish`](Self::finish) return, joined, is the text of the sequence:
/// that of [`Tokenizer::decode`], but for the spaces that old vocabularies want cleaned up. Cleaning looks at the
/// whole text, changes code, and no program that streams does it.
///
/// Bytes that form no character become U+FFFD, one for each maximal part of a character, as soon as it is certain
/// that nothing can complete them.
///
/// `T` is anything that lends a tokenizer: `&Tokenizer`, `Arc<Tokenizer>`.
#[derive(Clone, Debug)]
pub struct Detokenizer<T> {
    tokenizer: T,
    opts: Decode,
    at_start: bool,
    strips_space: bool,
    /// An EOS that is dropped if nothing follows it.
    held: Option<TokenId>,
    /// The start of a character, at most three bytes.
    pending: Vec<u8>,
    /// What the last call returned.
    text: String,
}

impl<T: Borrow<Tokenizer>> Detokenizer<T> {
    /// Decodes a whole sequence: the space that encoding put before the text is taken away again.
    pub fn new(tokenizer: T, opts: Decode) -> Self {
        let strips_space = tokenizer.borrow().vocab().add_space_prefix();
        Self { strips_space, ..Self::continuing(tokenizer, opts) }
    }

    /// Decodes what follows a text, as the answer to a prompt does: a space at the start is kept.
    pub fn continuing(tokenizer: T, opts: Decode) -> Self {
        Self {
            tokenizer,
            opts,
            at_start: true,
            strips_space: false,
            held: None,
            pending: Vec::new(),
            text: String::new(),
        }
    }

    /// The text that one more token completes; empty where it only starts a character, or prints nothing.
    pub fn push(&mut self, id: TokenId) -> &str {
        self.text.clear();
        if let Some(held) = self.held.take() {
            self.take(held);
        }
        let vocab = self.tokenizer.borrow().vocab();
        let at_start = std::mem::take(&mut self.at_start);
        if self.opts.remove_special && at_start && vocab.add_bos() && Some(id) == vocab.special().bos {
            self.strips_space = false;
        } else if self.opts.remove_special && vocab.add_eos() && Some(id) == vocab.special().eos {
            self.held = Some(id);
        } else {
            self.take(id);
        }
        &self.text
    }

    /// Ends the sequence: what is left is no whole character. Tokens pushed later continue the text.
    pub fn finish(&mut self) -> &str {
        self.text.clear();
        self.held = None;
        self.text.push_str(&String::from_utf8_lossy(&self.pending));
        self.pending.clear();
        &self.text
    }

    fn take(&mut self, id: TokenId) {
        let piece = self.tokenizer.borrow().piece(id, self.opts.special);
        let strips = std::mem::take(&mut self.strips_space);
        let piece = if strips { piece.strip_prefix(b" ").unwrap_or(piece) } else { piece };
        if self.pending.is_empty() {
            let rest = append_whole(piece, &mut self.text);
            self.pending.extend_from_slice(rest);
        } else {
            self.pending.extend_from_slice(piece);
            let n_rest = append_whole(&self.pending, &mut self.text).len();
            self.pending.drain(..self.pending.len() - n_rest);
        }
    }
}

/// Appends the characters of `bytes`, and U+FFFD for what cannot become one. Returns the start of a character at the
/// end.
fn append_whole<'b>(bytes: &'b [u8], text: &mut String) -> &'b [u8] {
    let mut rest = bytes;
    loop {
        let (valid, broken) = match std::str::from_utf8(rest) {
            Ok(all) => (all, None),
            Err(error) => {
                let valid = &rest[..error.valid_up_to()];
                (std::str::from_utf8(valid).expect("checked up to there"), error.error_len())
            }
        };
        text.push_str(valid);
        rest = &rest[valid.len()..];
        let Some(n_broken) = broken else { return rest };
        text.push(char::REPLACEMENT_CHARACTER);
        rest = &rest[n_broken..];
    }
}
