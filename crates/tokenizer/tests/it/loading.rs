//! Headers of model files: what is read of them, and what is wrong with bad ones.

use crate::synthetic::{floats, ints, metadata, spm_keys, string, strings};
use gguf::write::OwnedValue;
use tokenizer::{Encode, Tokenizer, VocabKind};

/// The good SPM vocabulary with one key changed.
fn with(key: &'static str, value: OwnedValue) -> Vec<(&'static str, OwnedValue)> {
    let mut keys = spm_keys();
    keys.retain(|(known, _)| *known != key);
    keys.push((key, value));
    keys
}

fn bpe_keys(merges: &[&str]) -> Vec<(&'static str, OwnedValue)> {
    vec![
        ("tokenizer.ggml.model", string("gpt2")),
        ("tokenizer.ggml.pre", string("gpt-2")),
        ("tokenizer.ggml.tokens", strings(["a", "b", "c", "ab", "abc"])),
        ("tokenizer.ggml.merges", strings(merges.iter().copied())),
    ]
}

#[test]
fn keys_become_a_vocabulary() {
    let tokenizer = Tokenizer::from_gguf(&metadata(&spm_keys())).expect("a good vocabulary");
    let vocab = tokenizer.vocab();
    assert_eq!((vocab.kind(), vocab.len()), (VocabKind::Spm, 265));
    assert_eq!((vocab.special().bos, vocab.special().eos, vocab.special().unk), (Some(1), Some(2), Some(0)));
    assert!(vocab.add_bos() && vocab.add_eos());
    let ids = tokenizer.encode("ab", Encode { add_special: true, parse_special: false });
    assert_eq!(ids, [1, vocab.find("▁ab").expect("a token"), 2]);
}

#[test]
fn ids_that_mean_none_are_none() {
    for none in [OwnedValue::U32(u32::MAX), OwnedValue::I32(-1), OwnedValue::I64(-1)] {
        let keys = with("tokenizer.ggml.padding_token_id", none);
        let tokenizer = Tokenizer::from_gguf(&metadata(&keys)).expect("no padding");
        assert_eq!(tokenizer.vocab().special().pad, None);
    }
}

#[test]
fn merges_may_name_parts_that_are_no_tokens() {
    let tokenizer = Tokenizer::from_gguf(&metadata(&bpe_keys(&["b c", "a bc"]))).expect("as the reference");
    let ids = tokenizer.encode("abc", Encode::default());
    assert_eq!(ids, [4]);
}

#[test]
fn no_vocabulary_has_ids_only() {
    let keys = [
        ("general.architecture", string("wavtokenizer-dec")),
        ("tokenizer.ggml.model", string("none")),
        ("wavtokenizer-dec.vocab_size", OwnedValue::U32(u32::MAX)),
    ];
    let tokenizer = Tokenizer::from_gguf(&metadata(&keys)).expect("nothing to read");
    assert_eq!(tokenizer.vocab().kind(), VocabKind::None);
    assert_eq!(tokenizer.vocab().len(), u32::MAX as usize);
    assert!(tokenizer.encode("text", Encode { add_special: true, parse_special: true }).is_empty());
}

#[test]
fn errors_name_the_key() {
    let missing: Vec<_> = spm_keys().into_iter().filter(|(key, _)| *key != "tokenizer.ggml.tokens").collect();
    let no_merges: Vec<_> =
        bpe_keys(&[]).into_iter().filter(|(key, _)| *key != "tokenizer.ggml.merges").collect();
    #[rustfmt::skip]
    let rows: Vec<(Vec<(&'static str, OwnedValue)>, &str)> = vec![
        (vec![], r#"metadata key "tokenizer.ggml.model" is missing"#),
        (with("tokenizer.ggml.model", OwnedValue::U32(3)), r#"metadata key "tokenizer.ggml.model": expected UTF-8 string, found u32 3"#),
        (with("tokenizer.ggml.model", string("x")), "unknown tokenizer model \"x\" (tokenizer.ggml.model)"),
        (with("tokenizer.ggml.tokens", string("x")), r#"metadata key "tokenizer.ggml.tokens": expected array, found string "x""#),
        (with("tokenizer.ggml.tokens", ints([1])), r#"metadata key "tokenizer.ggml.tokens": expected array of string, found array of 1 i32"#),
        (missing, "tokenizer.ggml.tokens is missing, but tokenizer model \"llama\" needs it"),
        (with("tokenizer.ggml.tokens", strings(["a", "b", "a"])), "tokenizer.ggml.scores has 265 entries, but tokenizer.ggml.tokens has 3"),
        (with("tokenizer.ggml.scores", floats([1.0; 264])), "tokenizer.ggml.scores has 264 entries, but tokenizer.ggml.tokens has 265"),
        (with("tokenizer.ggml.scores", strings(["1"])), r#"metadata key "tokenizer.ggml.scores": expected array of f32 or i32, found array of 1 string"#),
        (with("tokenizer.ggml.token_type", ints([1; 266])), "tokenizer.ggml.token_type has 266 entries, but tokenizer.ggml.tokens has 265"),
        (with("tokenizer.ggml.token_type", floats([1.0])), r#"metadata key "tokenizer.ggml.token_type": expected array of i32"#),
        (with("tokenizer.ggml.bos_token_id", OwnedValue::U32(265)), "tokenizer.ggml.bos_token_id is 265, but the vocabulary has 265 tokens"),
        (with("tokenizer.ggml.eos_token_id", OwnedValue::I64(-2)), r#"metadata key "tokenizer.ggml.eos_token_id": expected u32, found integer -2"#),
        (with("tokenizer.ggml.eos_token_id", string("2")), r#"metadata key "tokenizer.ggml.eos_token_id": expected i64, found string "2""#),
        (with("tokenizer.ggml.add_bos_token", OwnedValue::U8(1)), r#"metadata key "tokenizer.ggml.add_bos_token": expected bool, found u8 1"#),
        (with("tokenizer.ggml.precompiled_charsmap", ints([1])), r#"metadata key "tokenizer.ggml.precompiled_charsmap": expected array of u8 or i8, found array of 1 i32"#),
        (with("tokenizer.ggml.suppress_tokens", string("")), r#"metadata key "tokenizer.ggml.suppress_tokens": expected array of i32"#),
        (bpe_keys(&["a b", "abc"]), r#"tokenizer.ggml.merges, entry 1, is "abc": two parts with a space between are needed"#),
        (bpe_keys(&["a "]), r#"tokenizer.ggml.merges, entry 0, is "a ""#),
        (no_merges, "tokenizer.ggml.merges is missing, but tokenizer model \"gpt2\" needs it"),
        (with("tokenizer.ggml.tokens", strings(["a".to_owned(), "b".repeat(20_000)])), "token 1 has 20000 bytes; the limit is 16384"),
        (vec![("tokenizer.ggml.model", string("gpt2")), ("tokenizer.ggml.pre", string("gpt-9"))], "unknown pre-tokenizer \"gpt-9\""),
        (vec![("tokenizer.ggml.model", string("gpt2")), ("tokenizer.ggml.tokens", strings(["a", "b", "a"])), ("tokenizer.ggml.merges", strings([""; 0]))],
            "tokens 0 and 2 have the same text \"a\""),
    ];
    for (keys, expected) in rows {
        let error = Tokenizer::from_gguf(&metadata(&keys)).expect_err(expected).to_string();
        assert!(error.contains(expected), "{error:?} should say {expected:?}");
    }
}
