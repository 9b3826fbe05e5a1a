//! Detokenizing token by token is detokenizing the whole.

use crate::synthetic;
use crate::{files, golden};
use std::sync::Arc;
use testkit::Random;
use tokenizer::{Decode, Detokenizer, Encode, TokenId, Tokenizer};

const OPTIONS: [Decode; 4] = [
    Decode { special: false, remove_special: false },
    Decode { special: true, remove_special: false },
    Decode { special: false, remove_special: true },
    Decode { special: true, remove_special: true },
];

/// All that comes out, and that nothing of it is half a character.
fn stream(tokenizer: &Tokenizer, ids: &[TokenId], opts: Decode) -> String {
    let mut detokenizer = Detokenizer::new(tokenizer, opts);
    let mut text: String = ids.iter().map(|&id| detokenizer.push(id).to_owned()).collect();
    text.push_str(detokenizer.finish());
    text
}

fn check(tokenizer: &Tokenizer, ids: &[TokenId]) {
    for opts in OPTIONS {
        let whole = tokenizer.decode(ids, opts);
        let streamed = stream(tokenizer, ids, opts);
        assert_eq!(streamed, String::from_utf8_lossy(&whole), "{ids:?} {opts:?}");
    }
}

#[test]
fn every_golden_text() {
    // Vocabularies of all kinds that do not clean up spaces.
    for name in ["llama-spm", "phi-3", "qwen2", "deepseek-llm", "nomic-bert-moe"] {
        let tokenizer = files::load(name);
        for text in golden::texts(name) {
            for special in [false, true] {
                let ids = tokenizer.encode(&text, Encode { add_special: special, parse_special: special });
                check(&tokenizer, &ids);
            }
        }
    }
}

#[test]
fn streams_are_not_cleaned_up() {
    let tokenizer = files::load("gemma-4");
    let ids = tokenizer.encode("why ?", Encode::default());
    assert_eq!(tokenizer.decode(&ids, Decode::default()), b"why?");
    assert_eq!(stream(&tokenizer, &ids, Decode::default()), "why ?");
}

#[test]
fn any_tokens() {
    let mut random = Random::new(1);
    for name in ["llama-spm", "qwen2"] {
        let tokenizer = files::load(name);
        let n_tokens = tokenizer.vocab().len() as u64;
        for _ in 0..2_000 {
            let n = random.below(12);
            // Beyond the vocabulary now and then, and often the first ones: special tokens and single bytes.
            let ids: Vec<TokenId> = (0..n)
                .map(|_| match random.below(3) {
                    0 => random.below(n_tokens + 2) as TokenId,
                    _ => random.below(300) as TokenId,
                })
                .collect();
            check(&tokenizer, &ids);
        }
    }
}

#[test]
fn ends_are_special_only_at_the_ends() {
    let tokenizer = synthetic::spm();
    let [bos, eos] = [1, 2];
    let a = tokenizer.vocab().find("a").expect("a token");
    for ids in [&[bos][..], &[bos, bos], &[eos, eos], &[bos, a, eos], &[a, eos, a], &[eos, a, bos, eos], &[]]
    {
        check(&tokenizer, ids);
    }
}

#[test]
fn characters_come_whole() {
    let tokenizer = synthetic::spm();
    let byte = |byte: u8| tokenizer.vocab().find(format!("<0x{byte:02X}>")).expect("all bytes are tokens");
    // Bytes, and what each of them completes.
    let rows: &[(&[u8], &[&str], &str)] = &[
        (b"a", &["a"], ""),
        (&[0xe2, 0x82, 0xac], &["", "", "€"], ""),
        (&[0xf0, 0x9f, 0x98, 0x80], &["", "", "", "😀"], ""),
        (&[0x80], &["\u{fffd}"], ""),
        (&[0xe2, 0x82], &["", ""], "\u{fffd}"),
        (&[0xe2, 0x82, b'a'], &["", "", "\u{fffd}a"], ""),
        (&[0xe2, 0xe2, 0x82, 0xac], &["", "\u{fffd}", "", "€"], ""),
        (&[0xe0, 0x80], &["", "\u{fffd}\u{fffd}"], ""),
        (&[0xed, 0xa0, 0x80], &["", "\u{fffd}\u{fffd}", "\u{fffd}"], ""),
        (&[0xf4, 0x90], &["", "\u{fffd}\u{fffd}"], ""),
        (&[0xff, 0xc0], &["\u{fffd}", "\u{fffd}"], ""),
    ];
    for &(bytes, pushed, finished) in rows {
        let mut detokenizer = Detokenizer::continuing(&tokenizer, Decode::default());
        for (&b, &expected) in bytes.iter().zip(pushed) {
            assert_eq!(detokenizer.push(byte(b)), expected, "{b:02x} of {bytes:02x?}");
        }
        assert_eq!(detokenizer.finish(), finished, "end of {bytes:02x?}");
    }
}

#[test]
fn an_answer_keeps_its_first_space() {
    let tokenizer = Arc::new(synthetic::spm());
    let id = tokenizer.vocab().find("▁a").expect("a token");
    assert_eq!(Detokenizer::new(Arc::clone(&tokenizer), Decode::default()).push(id), "a");
    assert_eq!(Detokenizer::continuing(tokenizer, Decode::default()).push(id), " a");
}

#[test]
fn control_tokens_are_hidden_unless_asked_for() {
    let tokenizer = synthetic::spm();
    for (special, expected) in [(false, ""), (true, "<s>")] {
        let opts = Decode { special, remove_special: false };
        assert_eq!(Detokenizer::new(&tokenizer, opts).push(1), expected);
    }
}
