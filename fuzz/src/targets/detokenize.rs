//! A byte for the tokenizer, a byte for options, and tokens of two bytes each: what streams out token by token is
//! what the whole decodes to.

use tokenizer::{Decode, Detokenizer, TokenId, Tokenizer};

use crate::input::Input;
use crate::small::TOKENIZERS;

pub(crate) fn run(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let (tokenizer, _) = &TOKENIZERS[input.below(TOKENIZERS.len())];
    let opts = Decode { special: input.flag(), remove_special: input.flag() };
    let mut ids = Vec::new();
    while !input.is_empty() {
        // Most numbers are beyond these vocabularies: some are, most should not be.
        let id = TokenId::from(input.number());
        ids.push(if id > 60_000 { id } else { id % 300 });
    }
    check(tokenizer, &ids, opts);
}

/// Decodes token by token and all at once.
pub(super) fn check(tokenizer: &Tokenizer, ids: &[TokenId], opts: Decode) {
    let whole = tokenizer.decode(ids, opts);
    let mut detokenizer = Detokenizer::new(tokenizer, opts);
    let mut streamed: String = ids.iter().map(|&id| detokenizer.push(id).to_owned()).collect();
    streamed += detokenizer.finish();
    // Spaces before punctuation are cleaned up in whole texts only, and nothing else may differ.
    let letters = |text: &str| text.replace(' ', "");
    assert_eq!(letters(&streamed), letters(&String::from_utf8_lossy(&whole)), "{ids:?}, {opts:?}");
}
