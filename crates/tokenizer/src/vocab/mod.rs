//! The vocabulary: tokens, their texts, scores and attributes, the special ids, and the flags of the file.
//! Knows what each token is; how text becomes tokens is in `models`.

mod attr;
mod data;
mod load;
mod pieces;
mod special;
mod texts;

pub use attr::TokenAttr;
pub use data::VocabData;
pub(crate) use pieces::{escaped_byte, unescape_rwkv};
pub use special::SpecialIds;
pub use texts::Texts;
pub(crate) use texts::{TextIndex, fold, random_seed};

use crate::pretokenize::PreTokenizer;
use crate::{Error, Result, TokenId};
use std::collections::BTreeSet;

/// Kind of vocabulary: how its tokens spell text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum VocabKind {
    /// Ids only: the model works without text.
    None,
    /// SentencePiece BPE by score (Llama 2, Gemma).
    Spm,
    /// BPE by merge rank, on bytes (GPT-2, Llama 3, Qwen) or characters (Gemma 4).
    Bpe,
    /// WordPiece (BERT).
    Wpm,
    /// Unigram (T5, XLM-RoBERTa).
    Ugm,
    /// Greedy longest match (RWKV).
    Rwkv,
    /// PLaMo 2's scored suffix table.
    Plamo2,
    /// Hashes of five bytes: for tests without a real vocabulary.
    Test,
}

/// Variants of the BPE kind that treat text specially before they split it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum BpeVariant {
    Plain,
    /// `<dna>..</dna>` is spelled in 6-mers.
    HybridDna,
    /// White space separates and disappears.
    Whitespace,
}

/// `tokenizer.ggml.model` values this crate knows.
pub(crate) const MODEL_NAMES: &str =
    "llama, gpt2, gemma4, hybriddna, whitespace, bert, t5, rwkv, plamo2, test, none, no_vocab";

/// Mark after a 6-mer's text that keeps it apart from an ordinary token of the same letters.
pub(crate) const KMER_MARK: &str = "\u{e000}";
/// Longest text of a token. Real ones stay below 2 KiB; matching longer ones at every place of a text would be slow.
pub(crate) const MAX_TOKEN_BYTES: usize = 1 << 14;
/// The visible stand-in for a space in SentencePiece vocabularies.
pub(crate) const ESCAPED_SPACE: &str = "\u{2581}";

/// Switches of the file, with this kind's defaults filled in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flags {
    pub(crate) add_space_prefix: bool,
    pub(crate) add_bos: bool,
    pub(crate) add_eos: bool,
    pub(crate) add_sep: bool,
    pub(crate) clean_spaces: bool,
    pub(crate) escape_spaces: bool,
    pub(crate) remove_extra_spaces: bool,
    pub(crate) lowercase: bool,
    pub(crate) strip_accents: bool,
}

/// All tokens of a model, and what is special about some.
#[derive(Debug)]
pub struct Vocab {
    pub(crate) kind: VocabKind,
    pub(crate) variant: BpeVariant,
    pub(crate) pre: Option<&'static PreTokenizer>,
    pub(crate) flags: Flags,
    pub(crate) texts: Texts,
    pub(crate) index: TextIndex,
    /// What each token prints, special tokens by their text.
    pub(crate) pieces: Texts,
    scores: Vec<f32>,
    attrs: Vec<TokenAttr>,
    special: SpecialIds,
    /// Padding of the vocabulary's kind, before the file had its say.
    pub(crate) default_pad: Option<TokenId>,
    eog: BTreeSet<TokenId>,
    suppressed: Vec<TokenId>,
    n_token_types: u32,
    /// Tokens of a vocabulary without texts.
    n_dummies: u32,
}

impl Vocab {
    /// Checks and indexes what a file holds.
    pub(crate) fn new(data: &mut VocabData) -> Result<Self> {
        let kind = data.kind()?;
        let mut vocab = Self {
            kind: kind.kind,
            variant: kind.variant,
            pre: kind.pre,
            flags: kind.flags,
            texts: Texts::default(),
            index: TextIndex::build(&Texts::default()).expect("nothing is there twice in nothing"),
            pieces: Texts::default(),
            scores: Vec::new(),
            attrs: Vec::new(),
            special: kind.special_ids,
            default_pad: kind.special_ids.pad,
            eog: BTreeSet::new(),
            suppressed: Vec::new(),
            n_token_types: data.n_token_types.unwrap_or(0),
            n_dummies: 0,
        };
        if vocab.kind == VocabKind::None {
            vocab.n_dummies = data.n_vocab.unwrap_or(0);
            return Ok(vocab);
        }
        vocab.take_tokens(data)?;
        vocab.special.read(&data.special_ids, vocab.len())?;
        vocab.take_flags(data);
        vocab.find_special_by_text();
        vocab.strip_around_special(data);
        vocab.pieces = vocab.render_pieces()?;
        Ok(vocab)
    }

    /// Number of tokens.
    pub fn len(&self) -> usize {
        if self.kind == VocabKind::None { self.n_dummies as usize } else { self.texts.len() }
    }

    /// Whether there are no tokens at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Kind of vocabulary.
    pub fn kind(&self) -> VocabKind {
        self.kind
    }

    /// A token's text as the file spells it; `None` for ids beyond the vocabulary and vocabularies without texts.
    pub fn text(&self, id: TokenId) -> Option<&[u8]> {
        self.texts.get(id as usize)
    }

    /// The token spelled so in the file.
    pub fn find(&self, text: impl AsRef<[u8]>) -> Option<TokenId> {
        self.index.find(&self.texts, text.as_ref())
    }

    /// A token's score: a log-probability in SPM and UGM vocabularies, else mostly 0.
    pub fn score(&self, id: TokenId) -> Option<f32> {
        self.scores.get(id as usize).copied()
    }

    /// A token's attributes; undefined for ids beyond the vocabulary.
    pub fn attr(&self, id: TokenId) -> TokenAttr {
        self.attrs.get(id as usize).copied().unwrap_or_default()
    }

    /// Whether the token ends a generation.
    pub fn is_eog(&self, id: TokenId) -> bool {
        self.eog.contains(&id)
    }

    /// Tokens that end a generation, ascending.
    pub fn eog_ids(&self) -> impl ExactSizeIterator<Item = TokenId> + '_ {
        self.eog.iter().copied()
    }

    /// Special tokens by role.
    pub fn special(&self) -> &SpecialIds {
        &self.special
    }

    /// Tokens the file asks never to generate.
    pub fn suppressed(&self) -> &[TokenId] {
        &self.suppressed
    }

    /// Segment types of a BERT-like model; 0 where the file says nothing.
    pub fn n_token_types(&self) -> u32 {
        self.n_token_types
    }

    /// Whether special encoding puts BOS first. Never true without a BOS token.
    pub fn add_bos(&self) -> bool {
        self.flags.add_bos
    }

    /// Whether special encoding puts EOS last. Never true without an EOS token.
    pub fn add_eos(&self) -> bool {
        self.flags.add_eos
    }

    /// Whether a rerank prompt puts SEP between query and document.
    pub fn add_sep(&self) -> bool {
        self.flags.add_sep
    }

    /// Whether SPM and UGM vocabularies put a space before the text.
    pub fn add_space_prefix(&self) -> bool {
        self.flags.add_space_prefix
    }

    pub(crate) fn set_newline(&mut self, id: Option<TokenId>) {
        self.special.newline = id;
    }

    /// Token of one byte: `<0x0A>`, else the byte itself.
    pub(crate) fn byte_token(&self, byte: u8) -> Option<TokenId> {
        self.byte_escape(byte).or_else(|| self.find([byte]))
    }

    /// Token `<0x0A>` of a byte.
    pub(crate) fn byte_escape(&self, byte: u8) -> Option<TokenId> {
        const HEX: &[u8; 16] = b"0123456789ABCDEF";
        self.find([b'<', b'0', b'x', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)], b'>'])
    }

    fn take_tokens(&mut self, data: &mut VocabData) -> Result<()> {
        let Some(mut texts) = data.tokens.take() else {
            return Err(Error::Missing { key: "tokenizer.ggml.tokens", model: data.model.clone() });
        };
        let n_tokens = texts.len();
        if texts.iter().any(<[u8]>::is_empty) {
            texts = name_empty(&texts)?;
        }
        if let Some((id, text)) = (0..).zip(texts.iter()).find(|(_, text)| text.len() > MAX_TOKEN_BYTES) {
            return Err(Error::TokenTooLong { id, n_bytes: text.len() });
        }
        for (key, got) in [
            ("tokenizer.ggml.scores", data.scores.as_ref().map(Vec::len)),
            ("tokenizer.ggml.token_type", data.types.as_ref().map(Vec::len)),
        ] {
            if let Some(got) = got.filter(|&got| got != n_tokens) {
                return Err(Error::WrongLength { key, got, n_tokens });
            }
        }
        self.index = TextIndex::build(&texts).map_err(|(first, second)| Error::DuplicateToken {
            first,
            second,
            text: String::from_utf8_lossy(texts.get(first as usize).unwrap_or_default()).into_owned(),
        })?;
        self.texts = texts;
        self.scores = data.scores.take().unwrap_or_else(|| vec![0.0; n_tokens]);
        self.attrs = match &data.types {
            Some(types) => types.iter().map(|&t| TokenAttr::from_type(t)).collect(),
            None => vec![TokenAttr::NORMAL; n_tokens],
        };
        Ok(())
    }

    fn take_flags(&mut self, data: &VocabData) {
        let flags = &mut self.flags;
        for (flag, said) in [
            (&mut flags.add_space_prefix, data.add_space_prefix),
            (&mut flags.remove_extra_spaces, data.remove_extra_spaces),
            (&mut flags.add_bos, data.add_bos),
            (&mut flags.add_eos, data.add_eos),
            (&mut flags.add_sep, data.add_sep),
            (&mut flags.lowercase, data.lowercase),
        ] {
            *flag = said.unwrap_or(*flag);
        }
        flags.strip_accents = data.strip_accents.unwrap_or(flags.lowercase);
        if self.pre.is_some_and(|pre| pre.always_bos) {
            flags.add_bos = true;
        }
        flags.add_bos &= self.special.bos.is_some();
        flags.add_eos &= self.special.eos.is_some();
        let n_tokens = self.len();
        let in_range = |id: &i32| usize::try_from(*id).is_ok_and(|id| id < n_tokens);
        self.suppressed = data.suppressed.iter().filter(|id| in_range(id)).map(|&id| id as TokenId).collect();
    }
}

/// Empty token texts get a name: an empty text would match everywhere.
fn name_empty(texts: &Texts) -> Result<Texts> {
    let mut named = Texts::with_capacity(texts.len(), 0);
    let mut n_bytes = 0;
    for (i, text) in texts.iter().enumerate() {
        let name;
        let text = if text.is_empty() {
            name = format!("[EMPTY_{i}]");
            name.as_bytes()
        } else {
            text
        };
        n_bytes += text.len();
        if n_bytes > u32::MAX as usize {
            return Err(Error::TooLarge { key: "tokenizer.ggml.tokens", n: i, n_bytes });
        }
        named.push(text);
    }
    Ok(named)
}
