//! A vocabulary written by the input, and then a text and tokens for it: an error or an answer.

use tokenizer::{Decode, Encode, Texts, Tokenizer, VocabData};

use super::detokenize;
use crate::input::Input;

const MODELS: [&str; 11] =
    ["llama", "gpt2", "gemma4", "hybriddna", "whitespace", "bert", "t5", "rwkv", "plamo2", "test", "none"];
const PRE: [&str; 6] = ["", "gpt-2", "llama-bpe", "gemma4", "kimi-k2", "whitespace"];
const SPECIAL: [&str; 8] = ["bos", "eos", "eot", "unknown", "padding", "seperator", "fim_pad", "mask"];
const SCORES: [f32; 10] =
    [0.0, -0.0, -1.0, -2.5, 1.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN_POSITIVE];
/// More tokens or merges would only make inputs longer.
const MOST: usize = 40;

pub(crate) fn run(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let Ok(tokenizer) = Tokenizer::new(vocabulary(&mut input)) else { return };
    let n_tokens = tokenizer.vocab().len();
    let add_special = input.flag();
    let text = input.text();
    for parse_special in [false, true] {
        let ids = tokenizer.encode(&text, Encode { add_special, parse_special });
        assert!(ids.iter().all(|&id| (id as usize) < n_tokens), "{text:?}: {ids:?}");
        detokenize::check(&tokenizer, &ids, Decode { special: true, remove_special: add_special });
    }
}

fn vocabulary(input: &mut Input<'_>) -> VocabData {
    let model = input.one_of(&MODELS);
    let pre = input.one_of(&PRE);
    let has = input.byte();
    let mut tokens: Vec<Vec<u8>> = (0..input.below(MOST)).map(|_| input.bytes(12).to_vec()).collect();
    if has & 1 == 1 {
        tokens.extend((0..=255).map(|byte| format!("<0x{byte:02X}>").into_bytes()));
    }
    let scores = tokens.iter().map(|_| input.one_of(&SCORES)).collect();
    let types =
        tokens.iter().map(|token| if token.starts_with(b"<0x") { 6 } else { input.below(9) as i32 - 1 });
    let types = types.collect();
    let merges: Vec<Vec<u8>> = (0..input.below(MOST)).map(|_| input.bytes(12).to_vec()).collect();
    let special_ids =
        (0..input.below(SPECIAL.len())).map(|_| (input.one_of(&SPECIAL), input.byte().into())).collect();
    let mut maybe = || [None, Some(false), Some(true)][input.below(3)];
    let flags = [(); 7].map(|()| maybe());
    let charsmap = (has & 2 == 2).then(|| {
        let bytes = input.bytes(255);
        let size = u32::try_from(input.below(256)).expect("a byte").to_le_bytes();
        [&size[..], bytes].concat()
    });
    let all = |key, texts: &[Vec<u8>]| Texts::collect(key, texts.iter().map(Vec::as_slice)).ok();
    VocabData {
        model: model.to_owned(),
        pre: Some(pre.to_owned()),
        tokens: all("tokens", &tokens),
        scores: (has & 4 == 0).then_some(scores),
        types: (has & 8 == 0).then_some(types),
        merges: (has & 16 == 0).then(|| all("merges", &merges)).flatten(),
        special_ids,
        add_bos: flags[0],
        add_eos: flags[1],
        add_sep: flags[2],
        add_space_prefix: flags[3],
        remove_extra_spaces: flags[4],
        lowercase: flags[5],
        strip_accents: flags[6],
        charsmap,
        ..VocabData::default()
    }
}
