//! Small vocabularies made by hand, as GGUF headers.

use gguf::write::{Builder, OwnedValue};
use gguf::{Gguf, Metadata, ValueType};
use serde_json::Value;
use tokenizer::Tokenizer;

/// A header with the given keys, read back.
pub(crate) fn metadata(values: &[(&str, OwnedValue)]) -> Metadata {
    let mut builder = Builder::new();
    for (key, value) in values {
        builder.value(key, value.clone());
    }
    read_back(&builder)
}

/// The metadata of what was built.
pub(crate) fn read_back(builder: &Builder) -> Metadata {
    let bytes = builder.to_bytes().expect("a header that may be written");
    Gguf::from_bytes(bytes).expect("a whole file").metadata().clone()
}

/// A header from rows of key, type and value.
pub(crate) fn from_json(rows: &Value) -> Metadata {
    let mut builder = Builder::new();
    for row in rows.as_array().expect("rows") {
        let [key, ty] = [&row[0], &row[1]].map(|text| text.as_str().expect("text"));
        builder.value(key, owned(ty, &row[2]));
    }
    read_back(&builder)
}

fn owned(ty: &str, value: &Value) -> OwnedValue {
    let array = |element_type, element| {
        let values = value.as_array().expect("an array");
        OwnedValue::Array(element_type, values.iter().map(|value| owned(element, value)).collect())
    };
    match ty {
        "u8" => OwnedValue::U8(value.as_u64().expect("a byte") as u8),
        "u32" => OwnedValue::U32(value.as_u64().expect("a number") as u32),
        "i32" => OwnedValue::I32(value.as_i64().expect("a number") as i32),
        "f32" => OwnedValue::F32(value.as_f64().expect("a number") as f32),
        "bool" => OwnedValue::Bool(value.as_bool().expect("a bool")),
        "str" => string(value.as_str().expect("a text")),
        "[str]" => array(ValueType::String, "str"),
        "[f32]" => array(ValueType::F32, "f32"),
        "[i32]" => array(ValueType::I32, "i32"),
        "[u8]" => array(ValueType::U8, "u8"),
        other => panic!("no type of metadata: {other}"),
    }
}

pub(crate) fn string(text: &str) -> OwnedValue {
    OwnedValue::String(text.into())
}

pub(crate) fn strings(texts: impl IntoIterator<Item = impl Into<Vec<u8>>>) -> OwnedValue {
    let texts = texts.into_iter().map(|text| OwnedValue::String(text.into())).collect();
    OwnedValue::Array(ValueType::String, texts)
}

pub(crate) fn ints(values: impl IntoIterator<Item = i32>) -> OwnedValue {
    OwnedValue::Array(ValueType::I32, values.into_iter().map(OwnedValue::I32).collect())
}

pub(crate) fn floats(values: impl IntoIterator<Item = f32>) -> OwnedValue {
    OwnedValue::Array(ValueType::F32, values.into_iter().map(OwnedValue::F32).collect())
}

/// Keys of an SPM vocabulary: `<unk> <s> </s>`, all bytes, and a few words. It adds BOS and EOS.
pub(crate) fn spm_keys() -> Vec<(&'static str, OwnedValue)> {
    let bytes = (0..=255).map(|byte| format!("<0x{byte:02X}>"));
    let tokens: Vec<String> = ["<unk>", "<s>", "</s>"]
        .map(str::to_owned)
        .into_iter()
        .chain(bytes)
        .chain(["▁", "a", "b", "▁a", "ab", "▁ab"].map(str::to_owned))
        .collect();
    let n_words = tokens.len() - 259;
    let types = [2, 3, 3].into_iter().chain([6; 256]).chain(std::iter::repeat_n(1, n_words));
    let scores = std::iter::repeat_n(0.0, 259).chain((0..n_words).map(|i| -(i as f32)));
    vec![
        ("general.architecture", string("llama")),
        ("tokenizer.ggml.model", string("llama")),
        ("tokenizer.ggml.tokens", strings(tokens)),
        ("tokenizer.ggml.scores", floats(scores)),
        ("tokenizer.ggml.token_type", ints(types)),
        ("tokenizer.ggml.add_eos_token", OwnedValue::Bool(true)),
    ]
}

/// The vocabulary of [`spm_keys`].
pub(crate) fn spm() -> Tokenizer {
    Tokenizer::from_gguf(&metadata(&spm_keys())).expect("a good vocabulary")
}
