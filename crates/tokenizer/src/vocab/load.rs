//! The vocabulary's part of a GGUF header, read into [`VocabData`]. Knows keys and their types; what the values must
//! fulfil is checked in [`Vocab::new`](super::Vocab::new), for vocabularies from anywhere.

use super::special::ID_KEYS;
use super::{Texts, VocabData};
use crate::{Error, Result};
use gguf::{Array, Metadata, Value, ValueType};

impl VocabData {
    /// Reads the `tokenizer.ggml.*` keys. Token texts are copied once, from the file to one allocation.
    ///
    /// # Errors
    /// Where a key is of the wrong type, or the file names no vocabulary.
    pub fn from_gguf(metadata: &Metadata) -> Result<Self> {
        let architecture = text(metadata, "general.architecture")?.unwrap_or_default();
        let n_vocab = metadata.get(&format!("{architecture}.vocab_size"))?;
        Ok(Self {
            model: metadata.require::<&str>("tokenizer.ggml.model")?.to_owned(),
            pre: metadata.get::<&str>("tokenizer.ggml.pre")?.map(str::to_owned),
            tokens: texts(metadata, "tokenizer.ggml.tokens")?,
            scores: scores(metadata, "tokenizer.ggml.scores")?,
            types: metadata.get("tokenizer.ggml.token_type")?,
            merges: texts(metadata, "tokenizer.ggml.merges")?,
            special_ids: special_ids(metadata)?,
            suppressed: metadata.get("tokenizer.ggml.suppress_tokens")?.unwrap_or_default(),
            add_bos: metadata.get("tokenizer.ggml.add_bos_token")?,
            add_eos: metadata.get("tokenizer.ggml.add_eos_token")?,
            add_sep: metadata.get("tokenizer.ggml.add_sep_token")?,
            add_space_prefix: metadata.get("tokenizer.ggml.add_space_prefix")?,
            remove_extra_spaces: metadata.get("tokenizer.ggml.remove_extra_whitespaces")?,
            lowercase: metadata.get("tokenizer.ggml.normalizer.lowercase")?,
            strip_accents: metadata.get("tokenizer.ggml.normalizer.strip_accents")?,
            charsmap: charsmap(metadata, "tokenizer.ggml.precompiled_charsmap")?,
            n_token_types: metadata.get("tokenizer.ggml.token_type_count")?,
            n_vocab,
            name: text(metadata, "general.name")?.unwrap_or_default(),
            architecture,
        })
    }
}

/// A text that is only compared with known ones: what is not UTF-8 in it may be lost.
fn text(metadata: &Metadata, key: &str) -> Result<Option<String>> {
    Ok(metadata.get::<&[u8]>(key)?.map(|bytes| String::from_utf8_lossy(bytes).into_owned()))
}

fn texts(metadata: &Metadata, key: &'static str) -> Result<Option<Texts>> {
    let Some(array) = metadata.get::<Array<'_>>(key)? else { return Ok(None) };
    let strings = array.strings().map_err(|_| wrong_type(key, "array of string", &array))?;
    Texts::collect(key, strings).map(Some)
}

/// Scores are floats; some converters write whole numbers.
fn scores(metadata: &Metadata, key: &'static str) -> Result<Option<Vec<f32>>> {
    let Some(array) = metadata.get::<Array<'_>>(key)? else { return Ok(None) };
    let scores = array.iter().map(|value| match value {
        Value::F32(score) => Some(score),
        Value::I32(score) => Some(score as f32),
        _ => None,
    });
    let scores: Option<_> = scores.collect();
    scores.map(Some).ok_or_else(|| wrong_type(key, "array of f32 or i32", &array))
}

fn charsmap(metadata: &Metadata, key: &'static str) -> Result<Option<Vec<u8>>> {
    let Some(array) = metadata.get::<Array<'_>>(key)? else { return Ok(None) };
    let bytes = array.iter().map(|value| match value {
        Value::U8(byte) => Some(byte),
        Value::I8(byte) => Some(byte.cast_unsigned()),
        _ => None,
    });
    let bytes: Option<_> = bytes.collect();
    bytes.map(Some).ok_or_else(|| wrong_type(key, "array of u8 or i8", &array))
}

/// The ids that the file gives. The greatest `u32` and -1 are how some converters write "none".
fn special_ids(metadata: &Metadata) -> Result<Vec<(&'static str, u32)>> {
    let mut ids = Vec::new();
    for role in ID_KEYS {
        let key = format!("tokenizer.ggml.{role}_token_id");
        let Some(id) = metadata.get::<i64>(&key)? else { continue };
        if id == -1 || id == i64::from(u32::MAX) {
            continue;
        }
        ids.push((role, u32::try_from(id).map_err(|_| wrong_integer(&key, id))?));
    }
    Ok(ids)
}

fn wrong_type(key: &str, wanted: &'static str, found: &Array<'_>) -> Error {
    let found = format!("array of {} {}", found.len(), ValueType::name(found.element_type()));
    Error::Gguf(gguf::Error::WrongType { key: key.to_owned(), wanted, found })
}

fn wrong_integer(key: &str, found: i64) -> Error {
    Error::Gguf(gguf::Error::WrongType {
        key: key.to_owned(),
        wanted: "u32",
        found: format!("integer {found}"),
    })
}
