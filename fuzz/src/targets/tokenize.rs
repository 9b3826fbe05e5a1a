//! A byte for the tokenizer, a byte for options, a text: its tokens exist, and say the text again where nothing is
//! normalized.

use tokenizer::{Decode, Encode, TokenId, Tokenizer};

use crate::input::Input;
use crate::small::{Loss, TOKENIZERS};

pub(crate) fn run(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let (tokenizer, loss) = &TOKENIZERS[input.below(TOKENIZERS.len())];
    let options = input.byte();
    let text = input.text();
    let opts = Encode { add_special: options & 1 == 1, parse_special: options & 2 == 2 };
    let ids = tokenizer.encode(&text, opts);
    check_ids(tokenizer, &ids);
    if *loss == Loss::None {
        let plain = tokenizer.encode(&text, Encode::default());
        let pieces: Vec<u8> = plain.iter().flat_map(|&id| tokenizer.piece(id, true)).copied().collect();
        let pieces = if tokenizer.vocab().add_space_prefix() {
            pieces.strip_prefix(b" ").unwrap_or(&pieces).to_vec()
        } else {
            pieces
        };
        // The visible stand-in for a space is one, where spaces are written so.
        let spaced = |text: &str| text.replace('▁', " ");
        assert_eq!(spaced(&String::from_utf8_lossy(&pieces)), spaced(&text));
    }
    let marked = text.char_indices().map(|(at, _)| at).nth(text.chars().count() / 2).unwrap_or(0);
    check_ids(
        tokenizer,
        &tokenizer.encode_marked(
            &text,
            std::slice::from_ref(&(0..marked)),
            Encode { parse_special: true, ..opts },
        ),
    );
    tokenizer.decode(&ids, Decode { special: options & 4 == 4, remove_special: opts.add_special });
}

fn check_ids(tokenizer: &Tokenizer, ids: &[TokenId]) {
    let n_tokens = tokenizer.vocab().len();
    assert!(ids.iter().all(|&id| (id as usize) < n_tokens), "{ids:?} of {n_tokens} tokens");
}
