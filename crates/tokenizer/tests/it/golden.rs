//! The reference's token ids, and what they turn back into.

use crate::{files, synthetic};
use gguf::Metadata;
use serde_json::Value;
use std::path::Path;
use tokenizer::{Decode, Encode, TokenAttr, TokenId, Tokenizer};

/// The lines of a golden file: facts, then rows.
fn read(name: &str) -> Vec<Value> {
    let path = format!("{}/tests/data/{name}.jsonl", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// The texts of a golden file.
pub(crate) fn texts(name: &str) -> Vec<String> {
    read(name)[1..].iter().map(|row| row["text"].as_str().expect("text").to_owned()).collect()
}

/// Facts and rows of a golden file.
fn check(name: &str) {
    let tokenizer = files::load(name);
    let rows = read(name);
    check_facts(&tokenizer, &rows[0]["facts"]);
    for row in &rows[1..] {
        check_row(&tokenizer, row);
    }
    // Rows with texts that may not be copied here, where the environment says they are.
    let Some(folder) = std::env::var_os("LLAMA_RS_GOLDEN_TOKENIZERS") else { return };
    let corpus = Path::new(&folder).join(format!("{name}.corpus.jsonl"));
    let corpus = std::fs::read_to_string(&corpus).unwrap_or_else(|e| panic!("{}: {e}", corpus.display()));
    for line in corpus.lines().skip(1) {
        check_row(&tokenizer, &serde_json::from_str(line).expect("JSON"));
    }
}

fn check_facts(tokenizer: &Tokenizer, facts: &Value) {
    let vocab = tokenizer.vocab();
    let special = vocab.special();
    let id = |id: Option<TokenId>| id.map_or(-1, i64::from);
    assert_eq!(vocab.len() as i64, facts["n"], "n");
    for (role, got) in [
        ("bos", special.bos),
        ("eos", special.eos),
        ("eot", special.eot),
        ("nl", special.newline),
        ("pad", special.pad),
    ] {
        assert_eq!(id(got), facts[role], "{role}");
    }
    assert_eq!(vocab.add_bos(), facts["add_bos"], "add_bos");
    assert_eq!(vocab.add_eos(), facts["add_eos"], "add_eos");
    assert_eq!(vocab.eog_ids().collect::<Vec<_>>(), ids(&facts["eog"]), "eog");
    let control = (0..vocab.len() as TokenId).filter(|&id| vocab.attr(id).has(TokenAttr::CONTROL)).count();
    assert_eq!(control as u64, facts["control"], "control tokens");
}

fn check_row(tokenizer: &Tokenizer, row: &Value) {
    let text = row["text"].as_str().expect("text");
    let full = tokenizer.encode(text, Encode { add_special: true, parse_special: true });
    assert_eq!(full, ids(&row["ids"]), "{text:?} with special tokens");
    let plain = tokenizer.encode(text, Encode { add_special: false, parse_special: false });
    let expected = row.get("plain").unwrap_or(&row["ids"]);
    assert_eq!(plain, ids(expected), "{text:?} plain");
    let back = row["back"].as_str().unwrap_or(text);
    let got = tokenizer.decode(&plain, Decode { special: true, remove_special: false });
    assert_eq!(String::from_utf8_lossy(&got), back, "{text:?} back");
}

fn ids(value: &Value) -> Vec<TokenId> {
    value.as_array().expect("ids").iter().map(|id| id.as_u64().expect("id") as TokenId).collect()
}

/// Names and headers of the synthetic vocabularies.
pub(crate) fn synthetic() -> impl Iterator<Item = (String, Metadata)> {
    read("synthetic").into_iter().map(|golden| {
        let name = golden["name"].as_str().expect("name").to_owned();
        (name, synthetic::from_json(&golden["metadata"]))
    })
}

/// Vocabularies of the kinds that no published file is small enough for: header, facts and rows on a line each.
#[test]
fn synthetic_vocabularies() {
    for golden in read("synthetic") {
        let name = &golden["name"];
        let metadata = synthetic::from_json(&golden["metadata"]);
        let tokenizer = Tokenizer::from_gguf(&metadata).unwrap_or_else(|e| panic!("{name}: {e}"));
        check_facts(&tokenizer, &golden["facts"]);
        for row in golden["rows"].as_array().expect("rows") {
            check_row(&tokenizer, row);
        }
    }
}

macro_rules! goldens {
    ($($test:ident $name:literal;)*) => {
        /// Vocabularies with goldens.
        pub(crate) const NAMES: &[&str] = &[$($name),*];
        $(#[test]
        fn $test() {
            check($name);
        })*
    };
}

goldens! {
    aquila "aquila";
    baichuan "baichuan";
    bert_bge "bert-bge";
    command_r "command-r";
    deepseek_coder "deepseek-coder";
    deepseek_llm "deepseek-llm";
    falcon "falcon";
    gemma_4 "gemma-4";
    gpt_2 "gpt-2";
    gpt_neox "gpt-neox";
    llama_bpe "llama-bpe";
    llama_spm "llama-spm";
    mpt "mpt";
    nomic_bert_moe "nomic-bert-moe";
    phi_3 "phi-3";
    qwen2 "qwen2";
    qwen35 "qwen35";
    refact "refact";
    starcoder "starcoder";
}
