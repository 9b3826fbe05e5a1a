//! Vocabularies of GGUF files: text to token ids and back.
//!
//! Every kind of vocabulary that llama.cpp knows, with the same ids for the same text. Loading is fast enough to do
//! at start-up, no input is slow or fatal, and the result can be shared between threads.

mod bytes;
mod decode;
mod error;
mod models;
mod partition;
mod pretokenize;
mod stream;
mod trie;
mod unicode;
mod vocab;

pub use decode::Decode;
pub use error::{Error, Result};
pub use stream::Detokenizer;
use vocab::BpeVariant;
pub use vocab::{SpecialIds, Texts, TokenAttr, Vocab, VocabData, VocabKind};

use std::ops::Range;

use models::bpe::{Bpe, Scratch};
use models::plamo2::Plamo2;
use models::rwkv::Rwkv;
use models::spm::{Spm, escape_spaces};
use models::ugm::Ugm;
use models::variants::{HybridDna, encode_without_space};
use models::wpm::Wpm;
use partition::{Fragment, Partition};

/// Number of a token in its vocabulary.
pub type TokenId = u32;

/// The values of `tokenizer.ggml.pre` that are known.
pub fn pre_tokenizers() -> impl Iterator<Item = &'static str> {
    pretokenize::PreTokenizer::names()
}

/// How to turn text into tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Encode {
    /// Add BOS, EOS, CLS or SEP as the model wants them.
    pub add_special: bool,
    /// Read special tokens in the text as such. Off for text that a user wrote: it cannot fake a turn then.
    pub parse_special: bool,
}

/// A vocabulary, ready to encode and decode.
#[derive(Debug)]
pub struct Tokenizer {
    vocab: Vocab,
    model: Model,
    partition: Partition,
}

#[derive(Debug)]
enum Model {
    None,
    Spm(Spm),
    Bpe(Box<Bpe>),
    HybridDna(Box<HybridDna>),
    Whitespace(Box<Bpe>),
    Wpm(Wpm),
    Ugm(Ugm),
    Rwkv(Rwkv),
    Plamo2(Box<Plamo2>),
    Test,
}

impl Tokenizer {
    /// Reads the vocabulary of a model file.
    ///
    /// # Errors
    /// As [`Tokenizer::new`], and where a metadata key is of the wrong type.
    pub fn from_gguf(metadata: &gguf::Metadata) -> Result<Self> {
        Self::new(VocabData::from_gguf(metadata)?)
    }

    /// Checks and prepares what a file holds.
    ///
    /// # Errors
    /// Where the vocabulary is incomplete, contradictory, or of a kind this crate does not know.
    pub fn new(mut data: VocabData) -> Result<Self> {
        let vocab = Vocab::new(&mut data)?;
        let model = match vocab.kind() {
            VocabKind::None => Model::None,
            VocabKind::Spm => Model::Spm(Spm::new(&vocab)),
            VocabKind::Bpe => {
                let pre = vocab.pre.expect("every BPE vocabulary has a pre-tokenizer");
                let bpe = Bpe::new(&vocab, pre, data.merges.take(), &data.model)?;
                match vocab.variant {
                    BpeVariant::Plain => Model::Bpe(Box::new(bpe)),
                    BpeVariant::HybridDna => Model::HybridDna(Box::new(HybridDna::new(&vocab, bpe))),
                    BpeVariant::Whitespace => Model::Whitespace(Box::new(bpe)),
                }
            }
            VocabKind::Wpm => Model::Wpm(Wpm::new(&vocab)),
            VocabKind::Ugm => Model::Ugm(Ugm::new(&vocab, data.charsmap.as_deref())?),
            VocabKind::Rwkv => Model::Rwkv(Rwkv::new(&vocab)),
            VocabKind::Plamo2 => Model::Plamo2(Box::new(Plamo2::new(&vocab)?)),
            VocabKind::Test => Model::Test,
        };
        let mut tokenizer = Self { partition: Partition::new(&vocab), vocab, model };
        let newline = tokenizer.find_newline();
        tokenizer.vocab.set_newline(newline);
        Ok(tokenizer)
    }

    /// The vocabulary.
    pub fn vocab(&self) -> &Vocab {
        &self.vocab
    }

    /// Tokens of a text.
    pub fn encode(&self, text: &str, opts: Encode) -> Vec<TokenId> {
        self.encode_marked(text, &[], opts)
    }

    /// Tokens of a text of which some ranges of bytes, in order, are `plain`: no control token is recognized there,
    /// whatever `opts` say of the rest. So a user's words cannot end their turn in a prompt that is otherwise a template's.
    pub fn encode_marked(&self, text: &str, plain: &[Range<usize>], opts: Encode) -> Vec<TokenId> {
        let mut out = Vec::with_capacity(text.len() / 4 + 2);
        let (first, last) = self.enclosing();
        if opts.add_special {
            out.extend(first);
        }
        let mut after_special = true;
        for fragment in self.partition.split(&self.vocab, text, opts.parse_special, plain) {
            match fragment {
                Fragment::Token(id) => out.push(id),
                Fragment::Text(text) => self.encode_text(text, after_special, &mut out),
            }
            after_special = matches!(fragment, Fragment::Token(_));
        }
        if opts.add_special {
            out.extend(last);
        }
        out
    }

    /// Tokens that special encoding puts around a text.
    fn enclosing(&self) -> (Option<TokenId>, Option<TokenId>) {
        let special = self.vocab.special();
        let flags = &self.vocab.flags;
        match self.vocab.kind() {
            VocabKind::Wpm => (special.bos, special.sep),
            VocabKind::Spm | VocabKind::Bpe | VocabKind::Ugm => {
                (special.bos.filter(|_| flags.add_bos), special.eos.filter(|_| flags.add_eos))
            }
            _ => (None, None),
        }
    }

    /// Appends the tokens of text without special tokens in it.
    fn encode_text(&self, text: &str, after_special: bool, out: &mut Vec<TokenId>) {
        let flags = &self.vocab.flags;
        match &self.model {
            Model::None => {}
            Model::Spm(spm) => spm.encode(&self.vocab, text, after_special && flags.add_space_prefix, out),
            Model::Bpe(bpe) if flags.escape_spaces => {
                let mut escaped = String::with_capacity(text.len() + text.len() / 2);
                escape_spaces(text, &mut escaped);
                bpe.encode(&self.vocab, &escaped, &mut Scratch::default(), out);
            }
            Model::Bpe(bpe) => bpe.encode(&self.vocab, text, &mut Scratch::default(), out),
            Model::HybridDna(dna) => dna.encode(&self.vocab, text, out),
            Model::Whitespace(bpe) => encode_without_space(&self.vocab, bpe, text, out),
            Model::Wpm(wpm) => wpm.encode(&self.vocab, text, out),
            Model::Ugm(ugm) => ugm.encode(&self.vocab, text, out),
            Model::Rwkv(rwkv) => rwkv.encode(&self.vocab, text, out),
            Model::Plamo2(plamo2) => plamo2.encode(text, out),
            Model::Test => models::test::encode(self.vocab.len(), text, out),
        }
    }

    /// Where `\n` is no token, the padding of its kind stands for it, whatever the file says of padding.
    fn find_newline(&self) -> Option<TokenId> {
        let pad = self.vocab.default_pad;
        match self.vocab.kind() {
            VocabKind::None => None,
            VocabKind::Spm => self.vocab.byte_token(b'\n').or(pad),
            VocabKind::Wpm => pad,
            _ => {
                let mut ids = Vec::new();
                self.encode_text("\n", false, &mut ids);
                ids.first().copied().or(pad)
            }
        }
    }
}
