//! What a file says about its vocabulary, before it is checked.

use super::{BpeVariant, Flags, SpecialIds, Texts, VocabKind};
use crate::pretokenize::PreTokenizer;
use crate::{Error, Result};

/// The `tokenizer.ggml.*` metadata as plain data: from a GGUF file, or written out by hand.
/// `None` means the key is absent and the default of the model's kind holds.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "each field is the metadata key of its name")]
pub struct VocabData {
    /// `tokenizer.ggml.model`
    pub model: String,
    /// `tokenizer.ggml.pre`
    pub pre: Option<String>,
    pub tokens: Option<Texts>,
    pub scores: Option<Vec<f32>>,
    /// `tokenizer.ggml.token_type`
    pub types: Option<Vec<i32>>,
    /// Two parts separated by a space, best first.
    pub merges: Option<Texts>,
    /// Ids by metadata key, without the `tokenizer.ggml.` prefix and the `_token_id` suffix.
    pub special_ids: Vec<(&'static str, u32)>,
    pub suppressed: Vec<i32>,
    pub add_bos: Option<bool>,
    pub add_eos: Option<bool>,
    pub add_sep: Option<bool>,
    pub add_space_prefix: Option<bool>,
    pub remove_extra_spaces: Option<bool>,
    pub lowercase: Option<bool>,
    pub strip_accents: Option<bool>,
    pub charsmap: Option<Vec<u8>>,
    pub n_token_types: Option<u32>,
    /// `<architecture>.vocab_size`, for files without a vocabulary.
    pub n_vocab: Option<u32>,
    /// `general.architecture`
    pub architecture: String,
    /// `general.name`
    pub name: String,
}

/// What the names of model and pre-tokenizer settle.
pub(super) struct KindDefaults {
    pub(super) kind: VocabKind,
    pub(super) variant: BpeVariant,
    pub(super) pre: Option<&'static PreTokenizer>,
    pub(super) flags: Flags,
    pub(super) special_ids: SpecialIds,
}

const NO_FLAGS: Flags = Flags {
    add_space_prefix: false,
    add_bos: false,
    add_eos: false,
    add_sep: false,
    clean_spaces: false,
    escape_spaces: true,
    remove_extra_spaces: false,
    lowercase: true,
    strip_accents: true,
};

impl VocabData {
    pub(super) fn kind(&self) -> Result<KindDefaults> {
        let defaults = |kind, flags, special_ids| KindDefaults {
            kind,
            variant: BpeVariant::Plain,
            pre: None,
            flags,
            special_ids,
        };
        let ids = SpecialIds::default();
        Ok(match self.model.as_str() {
            "none" | "no_vocab" => defaults(VocabKind::None, NO_FLAGS, ids),
            "llama" => defaults(
                VocabKind::Spm,
                Flags { add_space_prefix: true, add_bos: true, ..NO_FLAGS },
                SpecialIds { bos: Some(1), eos: Some(2), unk: Some(0), ..ids },
            ),
            "bert" => defaults(
                VocabKind::Wpm,
                Flags { clean_spaces: true, add_bos: true, add_sep: true, ..NO_FLAGS },
                SpecialIds {
                    bos: Some(101),
                    unk: Some(100),
                    sep: Some(102),
                    pad: Some(0),
                    mask: Some(103),
                    ..ids
                },
            ),
            "t5" => defaults(
                VocabKind::Ugm,
                Flags { add_eos: true, ..NO_FLAGS },
                SpecialIds { eos: Some(1), unk: Some(2), pad: Some(0), ..ids },
            ),
            "rwkv" => defaults(VocabKind::Rwkv, NO_FLAGS, ids),
            "plamo2" => defaults(
                VocabKind::Plamo2,
                NO_FLAGS,
                SpecialIds { bos: Some(1), eos: Some(2), unk: Some(0), pad: Some(3), ..ids },
            ),
            "test" => defaults(VocabKind::Test, NO_FLAGS, ids),
            "gpt2" | "hybriddna" | "whitespace" | "gemma4" => self.bpe_kind()?,
            model => return Err(Error::UnknownModel(model.to_owned())),
        })
    }

    fn bpe_kind(&self) -> Result<KindDefaults> {
        let is_gemma4 = self.model == "gemma4";
        let name = if is_gemma4 { "gemma4" } else { self.pre.as_deref().unwrap_or("") };
        let pre = PreTokenizer::named(name).ok_or_else(|| Error::UnknownPreTokenizer(name.to_owned()))?;
        let id = if is_gemma4 { None } else { Some(11) };
        Ok(KindDefaults {
            kind: VocabKind::Bpe,
            variant: match self.model.as_str() {
                "hybriddna" => BpeVariant::HybridDna,
                "whitespace" => BpeVariant::Whitespace,
                _ => BpeVariant::Plain,
            },
            pre: Some(pre),
            flags: Flags {
                add_bos: pre.add_bos,
                add_sep: pre.add_sep,
                clean_spaces: pre.clean_spaces,
                escape_spaces: pre.escape_spaces,
                lowercase: !pre.keeps_case,
                ..NO_FLAGS
            },
            special_ids: SpecialIds {
                bos: id.filter(|_| !pre.no_default_bos),
                eos: id,
                ..SpecialIds::default()
            },
        })
    }
}
