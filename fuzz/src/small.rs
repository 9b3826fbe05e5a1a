//! Small vocabularies of every kind, made once: what is to be found is in the text, not in them.

use std::sync::{Arc, LazyLock};

use grammar::{Token, Vocabulary};
use tokenizer::{Texts, Tokenizer, VocabData};

/// Whether a text comes back from its tokens as it was.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loss {
    None,
    Some,
}

/// A tokenizer of each kind, and of each pre-tokenizer.
pub(crate) static TOKENIZERS: LazyLock<Vec<(Tokenizer, Loss)>> = LazyLock::new(|| {
    let kinds = [
        (spm(), Loss::None),
        (wpm(), Loss::Some),
        (ugm(), Loss::Some),
        (rwkv(), Loss::None),
        (plamo2(), Loss::Some),
        (
            VocabData { model: "test".to_owned(), tokens: Some(texts(["a", "b"])), ..VocabData::default() },
            Loss::Some,
        ),
        (bpe("hybriddna", "gpt-2"), Loss::Some),
        (bpe("whitespace", "whitespace"), Loss::Some),
        (gemma4(), Loss::None),
    ];
    let families = tokenizer::pre_tokenizers().map(|name| {
        let loss = if name == "whitespace" { Loss::Some } else { Loss::None };
        (bpe_of(name), loss)
    });
    let make = |(data, loss): (VocabData, Loss)| {
        let name = format!("{} {:?}", data.model, data.pre);
        (Tokenizer::new(data).unwrap_or_else(|error| panic!("{name}: {error}")), loss)
    };
    kinds.into_iter().chain(families).map(make).collect()
});

/// Words that most of the vocabularies have.
const WORDS: [&str; 24] = [
    "▁",
    "a",
    "b",
    "s",
    "t",
    "e",
    "▁a",
    "ab",
    "▁ab",
    "aba",
    "st",
    "te",
    "test",
    "▁test",
    "1",
    "12",
    "é",
    "▁é",
    "中",
    "🏽",
    "▁▁",
    "▁▁▁▁",
    "'",
    "'s",
];

fn texts<T: AsRef<str>>(all: impl IntoIterator<Item = T>) -> Texts {
    let all: Vec<T> = all.into_iter().collect();
    Texts::collect("tokens", all.iter().map(|text| text.as_ref().as_bytes())).expect("few tokens")
}

fn byte_tokens() -> impl Iterator<Item = String> {
    (0..=255).map(|byte| format!("<0x{byte:02X}>"))
}

/// `<unk> <s> </s> <pad>`, all bytes, the words: with scores that fall and types to match.
fn scored(model: &str) -> VocabData {
    let special = ["<unk>", "<s>", "</s>", "<pad>"].map(str::to_owned);
    let words = WORDS.map(str::to_owned);
    let tokens: Vec<String> = special.into_iter().chain(byte_tokens()).chain(words).collect();
    let scores = (0..tokens.len()).map(|i| if i < 260 { 0.0 } else { -((i - 259) as f32) });
    let types = [2, 3, 3, 3].into_iter().chain([6; 256]).chain([1; WORDS.len()]);
    VocabData {
        model: model.to_owned(),
        scores: Some(scores.collect()),
        types: Some(types.collect()),
        tokens: Some(texts(&tokens)),
        ..VocabData::default()
    }
}

fn spm() -> VocabData {
    scored("llama")
}

fn ugm() -> VocabData {
    VocabData { remove_extra_spaces: Some(true), add_space_prefix: Some(true), ..scored("t5") }
}

fn plamo2() -> VocabData {
    scored("plamo2")
}

fn wpm() -> VocabData {
    let words = [
        "[PAD]", "[UNK]", "[CLS]", "[SEP]", "▁a", "▁b", "▁test", "a", "b", "s", "ing", "▁1", "▁.", "▁é",
        "▁中",
    ];
    let special_ids = vec![("padding", 0), ("unknown", 1), ("bos", 2), ("seperator", 3)];
    VocabData { model: "bert".to_owned(), tokens: Some(texts(words)), special_ids, ..VocabData::default() }
}

fn rwkv() -> VocabData {
    let bytes = (0..=255).map(|byte| format!("\\x{byte:02x}"));
    let words = ["ab", "test", " a", "é", "中", "\\n\\n", "\\t\\t"].map(str::to_owned);
    let tokens: Vec<String> = ["<s>".to_owned()].into_iter().chain(bytes).chain(words).collect();
    VocabData { model: "rwkv".to_owned(), tokens: Some(texts(&tokens)), ..VocabData::default() }
}

fn gemma4() -> VocabData {
    VocabData {
        merges: Some(texts(["▁ a", "a b", "t e", "s t", "te st", "▁ test", "▁ ▁"])),
        ..scored("gemma4")
    }
}

fn bpe_of(pre: &str) -> VocabData {
    // Their merges work on characters, and bytes are tokens of their own.
    match pre {
        "gemma4" | "granite-embed-multi-311m" | "sarvam-moe" => {
            VocabData { model: "gpt2".to_owned(), pre: Some(pre.to_owned()), ..gemma4() }
        }
        _ => bpe("gpt2", pre),
    }
}

/// All bytes in GPT-2's spelling, a few merges, and special tokens.
fn bpe(model: &str, pre: &str) -> VocabData {
    let mut spare = 256u32..;
    let bytes = (0..=255u8).map(|byte| {
        let is_shown = matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff);
        let c = if is_shown { u32::from(byte) } else { spare.next().expect("there is no end") };
        char::from_u32(c).expect("far below the surrogates").to_string()
    });
    let merged = ["ab", "Ġa", "te", "st", "test", "Ġtest", "ĠĠ", "ĊĊ", "12", "'s", "Ã©"].map(str::to_owned);
    let special = ["<|end|>", "<|x|>", "<dna>", "</dna>", "<oov>"].map(str::to_owned);
    let tokens: Vec<String> = bytes.chain(merged).chain(special).collect();
    let types = [1; 256 + 11].into_iter().chain([3; 5]).collect();
    let merges = ["a b", "Ġ a", "t e", "s t", "te st", "Ġ test", "Ġ Ġ", "Ċ Ċ", "1 2", "' s", "Ã ©"];
    VocabData {
        model: model.to_owned(),
        pre: Some(pre.to_owned()),
        tokens: Some(texts(&tokens)),
        types: Some(types),
        merges: Some(texts(merges)),
        special_ids: vec![("bos", 267), ("eos", 267)],
        ..VocabData::default()
    }
}

/// The token that ends a text in [`PIECES`].
pub(crate) const END: u32 = 0;

/// All bytes and pieces of JSON and code, some cut within characters.
pub(crate) static PIECES: LazyLock<Arc<Vocabulary>> = LazyLock::new(|| {
    let longer = [
        "  ", "\n ", "\":", "\": ", "\", \"", "{\"", "\"}", "}}", "[[", "],", "true", "nul", "10", "0.5",
        "e-7", "ab", "aab", "((", "())", "αβ", "か", "😀", "<|x|>", "==", "abba", "\\u00", "\\\"",
    ];
    let mut texts: Vec<Vec<u8>> = (0..=255).map(|byte| vec![byte]).collect();
    texts.extend(longer.map(|text| text.as_bytes().to_vec()));
    texts.extend([&"か".as_bytes()[..2], &"😀".as_bytes()[..3], &"αβ".as_bytes()[1..]].map(<[u8]>::to_vec));
    let end = Token { text: b"<end>", is_control: true };
    let rest = texts.iter().map(|text| Token { text, is_control: text.starts_with(b"<|") });
    Vocabulary::new(std::iter::once(end).chain(rest), &[END])
});
