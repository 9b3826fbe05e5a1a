//! Vocabularies of Hugging Face's `tokenizer.json`, against the ids of the library that reads them.

use fancy_regex::Regex;
use serde_json::Value;
use std::collections::HashMap;
use testkit::Random;
use tokenizer::{Encode, Texts, Tokenizer, VocabData};
use unicode_normalization::{UnicodeNormalization, is_nfc};

/// Texts for each vocabulary.
const N_TEXTS: u64 = 10_000;

/// Types of tokens, as GGUF numbers them.
const NORMAL: i32 = 1;
const UNKNOWN: i32 = 2;
const CONTROL: i32 = 3;
const USER_DEFINED: i32 = 4;
const UNUSED: i32 = 5;
const BYTE: i32 = 6;

#[test]
fn llama3_1() {
    assert_eq!(n_told_apart("llama3_1", "gpt2", "llama-bpe"), 0);
}

/// The one that rewrites texts before it reads them, to NFC, which llama.cpp leaves to the caller.
#[test]
fn qwen3() {
    let n_not_normal = n_told_apart("qwen3", "gpt2", "qwen2");
    assert!(n_not_normal > 0, "no text shows the difference");
}

#[test]
fn deepseek_v3() {
    assert_eq!(n_told_apart("deepseek_v3", "gpt2", "deepseek-v3"), 0);
}

#[test]
fn gptoss() {
    assert_eq!(n_told_apart("gptoss", "gpt2", "gpt-4o"), 0);
}

#[test]
fn gemma3() {
    assert_eq!(n_told_apart("gemma3", "llama", "default"), 0);
}

#[test]
fn llama2() {
    assert_eq!(n_told_apart("llama2", "llama", "default"), 0);
}

/// Compares all texts, and answers how many have other ids than the library's own for the one reason that it brought
/// them to NFC first.
fn n_told_apart(name: &str, model: &str, pre: &str) -> usize {
    let path = testkit::cached(&format!("tokenizers/{name}/tokenizer.json"));
    let bytes = std::fs::read(path).expect("a readable file");
    let theirs = tokenizers::Tokenizer::from_bytes(&bytes).expect("a tokenizer");
    let json: Value = serde_json::from_slice(&bytes).expect("JSON");
    let ours = Tokenizer::new(converted(&json, model, pre)).expect("a vocabulary");
    let encode = |text: &str| ours.encode(text, Encode { add_special: false, parse_special: true });
    let mut n_differ = 0;
    for text in texts(&json) {
        let want = theirs.encode_fast(text.as_str(), false).expect("ids");
        let want = want.get_ids();
        if json["normalizer"]["type"] == "NFC" && !is_nfc(&text) {
            n_differ += usize::from(encode(&text) != want);
            assert_eq!(encode(&text.nfc().collect::<String>()), want, "{name}: {text:?} in NFC");
        } else {
            assert_eq!(encode(&text), want, "{name}: {text:?}");
        }
    }
    n_differ
}

/// Texts of characters that both know, some with a token in them that is looked for before words are.
fn texts(json: &Value) -> impl Iterator<Item = String> {
    let known = Regex::new(r"^\p{age=15.0}$").expect("a pattern");
    let known = move |c: char| known.is_match(c.encode_utf8(&mut [0; 4])).expect("a simple pattern");
    let added: Vec<String> = added(json).map(|token| token.text).collect();
    let mut random = Random::new(17);
    (0..N_TEXTS).map(move |_| {
        let mut text = random.text(&known);
        if random.below(4) == 0 {
            text += random.one_of::<String>(&added);
            text += &random.text(&known);
        }
        text
    })
}

/// What llama.cpp's converter writes of it.
fn converted(json: &Value, model: &str, pre: &str) -> VocabData {
    let (texts, types) = tokens(json);
    let merges: Vec<String> = list(&json["model"]["merges"]).iter().map(merge).collect();
    let collect = |texts: &[String]| {
        Texts::collect("texts", texts.iter().map(|text| text.as_bytes())).expect("not too many")
    };
    VocabData {
        model: model.to_owned(),
        pre: Some(pre.to_owned()),
        scores: Some(scores(&texts, &merges)),
        tokens: Some(collect(&texts)),
        types: Some(types),
        merges: Some(collect(&merges)),
        add_space_prefix: Some(json["normalizer"]["normalizers"][0]["type"] == "Prepend"),
        ..VocabData::default()
    }
}

/// Texts and types of all tokens, by id.
fn tokens(json: &Value) -> (Vec<String>, Vec<i32>) {
    let vocabulary = json["model"]["vocab"].as_object().expect("a vocabulary");
    let is_byte = |text: &str| text.len() == 6 && text.starts_with("<0x") && text.ends_with('>');
    let has_bytes = json["model"]["byte_fallback"] == true;
    let words = vocabulary.iter().map(|(text, id)| {
        let ty = if has_bytes && is_byte(text) { BYTE } else { NORMAL };
        (index(id), (text.clone(), ty))
    });
    let added = added(json).map(|token| (token.id, (token.text, token.ty)));
    let mut tokens: HashMap<usize, (String, i32)> = words.chain(added).collect();
    let n_tokens = tokens.keys().max().expect("tokens") + 1;
    let hole = |id: usize| (format!("[PAD{id}]"), UNUSED);
    (0..n_tokens).map(|id| tokens.remove(&id).unwrap_or_else(|| hole(id))).unzip()
}

/// A token that is found before a text is split into words.
struct Added {
    id: usize,
    text: String,
    ty: i32,
}

fn added(json: &Value) -> impl Iterator<Item = Added> {
    list(&json["added_tokens"]).iter().map(|token| {
        let text = token["content"].as_str().expect("text");
        let looks_special = text.starts_with("<\u{ff5c}") && text.ends_with("\u{ff5c}>");
        let (text, ty) = match text {
            "<unk>" => (text.to_owned(), UNKNOWN),
            _ if token["special"] == true || looks_special => (text.to_owned(), CONTROL),
            _ => (text.replace('\u{2581}', " "), USER_DEFINED),
        };
        Added { id: index(&token["id"]), text, ty }
    })
}

/// The two parts of a merge, in one text or in a list.
fn merge(merge: &Value) -> String {
    match merge {
        Value::String(merge) => merge.clone(),
        pair => [0, 1].map(|i| pair[i].as_str().expect("text")).join(" "),
    }
}

/// SentencePiece's scores, which only the order of the merges still tells: the sooner a token is merged, the higher.
fn scores(texts: &[String], merges: &[String]) -> Vec<f32> {
    let joined = merges.iter().map(|merge| merge.replacen(' ', "", 1));
    // The last of equal keys stays, so they come in reverse.
    let ranks: HashMap<String, usize> = joined.zip(0..).collect::<Vec<_>>().into_iter().rev().collect();
    texts.iter().map(|text| -(ranks.get(text).copied().unwrap_or(merges.len()) as f32)).collect()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn index(value: &Value) -> usize {
    value.as_u64().expect("an id") as usize
}
