//! Vocabularies that nobody would make, and texts for them: an error or an answer, never a panic or a hang.

use crate::{files, synthetic};
use gguf::write::{Builder, OwnedValue};
use gguf::{Gguf, Metadata, ValueType};
use testkit::Random;
use tokenizer::{Decode, Detokenizer, Encode, TokenId, Tokenizer};

const MODELS: [&str; 11] =
    ["llama", "gpt2", "gemma4", "hybriddna", "whitespace", "bert", "t5", "rwkv", "plamo2", "test", "none"];
const PRE: [&str; 6] = ["", "gpt-2", "llama-bpe", "gemma4", "kimi-k2", "whitespace"];

/// Pieces of tokens, merges and texts: few, so that they meet.
const PARTS: [&[u8]; 28] = [
    b"a",
    b"b",
    b"ab",
    b"aa",
    "▁".as_bytes(),
    b" ",
    b"  ",
    b"\n",
    "é".as_bytes(),
    &[0xc3],
    &[0xa9],
    "Ġ".as_bytes(),
    b"",
    b"<s>",
    b"</s>",
    b"<unk>",
    b"<0x61>",
    b"<0x0A>",
    b"<dna>",
    b"</dna>",
    b"<oov>",
    "\u{e000}".as_bytes(),
    b"AAAAAA",
    b"\\x",
    b"\\",
    "😀".as_bytes(),
    b"'s",
    &[0],
];

fn some(random: &mut Random, max: u64) -> Vec<u8> {
    (0..random.below(max + 1))
        .flat_map(|_| PARTS[random.below(PARTS.len() as u64) as usize])
        .copied()
        .collect()
}

fn text(random: &mut Random) -> String {
    String::from_utf8_lossy(&some(random, 30)).into_owned()
}

fn value(random: &mut Random) -> u64 {
    match random.below(4) {
        0 => random.below(4),
        1 => random.below(40),
        2 => u64::from(u32::MAX) - random.below(3),
        _ => random.any(),
    }
}

fn array(element: ValueType, n: u64, mut make: impl FnMut() -> OwnedValue) -> OwnedValue {
    OwnedValue::Array(element, (0..n).map(|_| make()).collect())
}

fn score(random: &mut Random) -> f32 {
    const ODD: [f32; 8] =
        [0.0, -0.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN, f32::MIN_POSITIVE];
    if random.below(3) == 0 { ODD[random.below(8) as usize] } else { -(random.below(100) as f32) / 8.0 }
}

/// A header of which something may be wrong, but not everything.
fn header(random: &mut Random) -> Metadata {
    let mut builder = Builder::new();
    let model = MODELS[random.below(MODELS.len() as u64) as usize];
    builder.value("tokenizer.ggml.model", synthetic::string(model));
    if random.below(4) > 0 {
        builder.value("tokenizer.ggml.pre", synthetic::string(PRE[random.below(PRE.len() as u64) as usize]));
    }
    let mut tokens: Vec<Vec<u8>> = (0..random.below(40)).map(|_| some(random, 3)).collect();
    if random.below(2) == 0 {
        tokens.extend((0..=255).map(|byte| format!("<0x{byte:02X}>").into_bytes()));
    }
    if random.below(8) > 0 {
        tokens.sort();
        tokens.dedup();
        for i in (1..tokens.len()).rev() {
            tokens.swap(i, random.below(i as u64 + 1) as usize);
        }
    }
    let n = tokens.len() as u64;
    let is_byte: Vec<bool> = tokens.iter().map(|token| token.starts_with(b"<0x")).collect();
    builder.value("tokenizer.ggml.tokens", synthetic::strings(tokens));
    let n_scores = if random.below(10) > 0 { n } else { n + random.below(2) };
    builder
        .value("tokenizer.ggml.scores", array(ValueType::F32, n_scores, || OwnedValue::F32(score(random))));
    let mut types = is_byte.into_iter();
    builder.value(
        "tokenizer.ggml.token_type",
        array(ValueType::I32, n, || match types.next() {
            Some(true) => OwnedValue::I32(6),
            _ => OwnedValue::I32(random.below(9) as i32 - 1),
        }),
    );
    let merge = |random: &mut Random| [&some(random, 2)[..], b" ", &some(random, 2)[..], b"b"].concat();
    let merges: Vec<Vec<u8>> = (0..random.below(60)).map(|_| merge(random)).collect();
    builder.value("tokenizer.ggml.merges", synthetic::strings(merges));
    for key in ["bos", "eos", "eot", "unknown", "padding", "seperator", "fim_pad", "prefix"] {
        if random.below(4) == 0 {
            let key = format!("tokenizer.ggml.{key}_token_id");
            builder.value(&key, OwnedValue::U32(if n > 0 { random.below(n + n / 16) } else { 0 } as u32));
        }
    }
    for key in ["add_bos_token", "add_eos_token", "add_space_prefix", "remove_extra_whitespaces"] {
        if random.below(3) == 0 {
            builder.value(&format!("tokenizer.ggml.{key}"), OwnedValue::Bool(random.below(2) == 0));
        }
    }
    if random.below(3) == 0 {
        let n_bytes = 4 * random.below(300);
        let size = u32::to_le_bytes((n_bytes / 2) as u32);
        let mut bytes = size.into_iter();
        let map = array(ValueType::U8, 4 + n_bytes, || {
            OwnedValue::U8(bytes.next().unwrap_or_else(|| random.below(256).min(value(random)) as u8))
        });
        builder.value("tokenizer.ggml.precompiled_charsmap", map);
    }
    synthetic::read_back(&builder)
}

/// Encodes and decodes with it, whatever it is.
fn use_it(tokenizer: &Tokenizer, random: &mut Random) {
    let n_tokens = tokenizer.vocab().len();
    for i in 0..4 {
        let text = text(random);
        let ids = tokenizer.encode(&text, Encode { add_special: i & 1 == 0, parse_special: i & 2 == 0 });
        assert!(ids.iter().all(|&id| (id as usize) < n_tokens), "{text:?}: {ids:?}");
        let mut ids = ids;
        ids.extend((0..4).map(|_| value(random) as TokenId));
        tokenizer.decode(&ids, Decode { special: true, remove_special: true });
        let mut detokenizer =
            Detokenizer::continuing(tokenizer, Decode { special: true, remove_special: false });
        let mut streamed: String = ids.iter().map(|&id| detokenizer.push(id).to_owned()).collect();
        streamed += detokenizer.finish();
        let pieces: Vec<u8> = ids.iter().flat_map(|&id| tokenizer.piece(id, true)).copied().collect();
        assert_eq!(streamed, String::from_utf8_lossy(&pieces));
    }
}

#[test]
fn vocabularies_made_at_random() {
    let mut random = Random::new(11);
    let mut n_good = 0;
    for _ in 0..4_000 {
        if let Ok(tokenizer) = Tokenizer::from_gguf(&header(&mut random)) {
            n_good += 1;
            use_it(&tokenizer, &mut random);
        }
    }
    assert!(n_good > 1_000, "only {n_good} were good enough to be used");
}

#[test]
fn good_headers_with_broken_bytes() {
    let mut random = Random::new(12);
    let mut builder = Builder::new();
    for (key, value) in synthetic::spm_keys() {
        builder.value(key, value);
    }
    let good = builder.to_bytes().expect("a header that may be written");
    for _ in 0..4_000 {
        let mut bytes = good.clone();
        for _ in 0..=random.below(3) {
            let at = random.below(bytes.len() as u64) as usize;
            bytes[at] = random.below(256) as u8;
        }
        let Ok(file) = Gguf::from_bytes(bytes) else { continue };
        if let Ok(tokenizer) = Tokenizer::from_gguf(file.metadata()) {
            use_it(&tokenizer, &mut random);
        }
    }
}

#[test]
fn nothing_at_all() {
    for model in MODELS {
        let keys = [
            ("tokenizer.ggml.model", synthetic::string(model)),
            ("tokenizer.ggml.tokens", synthetic::strings([""; 0])),
            ("tokenizer.ggml.merges", synthetic::strings([""; 0])),
        ];
        match Tokenizer::from_gguf(&synthetic::metadata(&keys)) {
            Ok(tokenizer) => use_it(&tokenizer, &mut Random::new(1)),
            Err(error) => assert_eq!(model, "plamo2", "{error}"),
        }
    }
}

/// Merges that make what others are made of, and each other.
#[test]
fn merges_in_circles() {
    let text = "abab".repeat(50_000);
    for merges in [
        vec!["a b", "ab a", "aba b", "b a", "ba b"],
        vec!["aba b", "ab ab", "ab a", "a b", "b a"],
        vec!["a a", "a a", "b a", "a b"],
    ] {
        let keys = [
            ("tokenizer.ggml.model", synthetic::string("gpt2")),
            ("tokenizer.ggml.tokens", synthetic::strings(["a", "b", "ab", "aba", "abab"])),
            ("tokenizer.ggml.merges", synthetic::strings(merges)),
        ];
        let tokenizer = Tokenizer::from_gguf(&synthetic::metadata(&keys)).expect("odd, but good");
        let ids = tokenizer.encode(&text, Encode::default());
        assert_eq!(tokenizer.decode(&ids, Decode::default()), text.as_bytes());
    }
}

#[test]
fn text_comes_back() {
    let mut random = Random::new(13);
    for name in ["llama-spm", "qwen2", "deepseek-llm", "command-r"] {
        let tokenizer = files::load(name);
        for _ in 0..500 {
            let text = random.unicode(60);
            let ids = tokenizer.encode(&text, Encode::default());
            let back = tokenizer.decode(&ids, Decode { special: true, remove_special: false });
            assert_eq!(String::from_utf8_lossy(&back), text, "{name}");
        }
    }
}
