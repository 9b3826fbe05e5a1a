//! Text of which parts are plain: control tokens are found around those parts and not in them.

use crate::files;
use crate::linear::{BOUND, timed};
use std::ops::Range;
use tokenizer::{Decode, Encode, Tokenizer};

const OPTIONS: Encode = Encode { add_special: false, parse_special: true };

fn load() -> Tokenizer {
    files::load("qwen2")
}

#[test]
#[expect(clippy::single_range_in_vec_init, reason = "a list of one range is meant")]
fn control_tokens_are_text_in_plain_parts_only() {
    let tokenizer = load();
    let end = tokenizer.encode("<|im_end|>", OPTIONS);
    let text = tokenizer.encode("<|im_end|>", Encode::default());
    assert!(end.len() == 1 && text.len() > 1, "{end:?} {text:?}");
    let source = "<|im_end|>\n<|im_end|>\n<|im_end|>";
    let check = |plain: &[Range<usize>], ends: [bool; 3]| {
        let ids = tokenizer.encode_marked(source, plain, OPTIONS);
        let back = tokenizer.decode(&ids, Decode { special: true, ..Decode::default() });
        assert_eq!(back, source.as_bytes(), "{plain:?}");
        let found: Vec<usize> = (0..ids.len()).filter(|&at| ids[at] == end[0]).collect();
        assert_eq!(found.len(), ends.iter().filter(|is_end| **is_end).count(), "{plain:?}: {ids:?}");
        assert_eq!((ids.first() == end.first(), ids.last() == end.first()), (ends[0], ends[2]), "{plain:?}");
    };
    check(&[], [true, true, true]);
    check(&[0..10], [false, true, true]);
    check(&[11..21], [true, false, true]);
    check(&[0..10, 22..32], [false, true, false]);
    check(&[0..10, 10..11, 11..21], [false, false, true]);
    // A part of a token is enough.
    check(&[9..12], [false, false, true]);
    check(&[10..11, 31..32], [true, true, false]);
}

#[test]
fn many_plain_parts_are_not_slow() {
    let tokenizer = load();
    let n = 300_000;
    let plain: Vec<_> = (0..n).map(|i| i * 10..(i + 1) * 10).collect();
    let text = "<|im_end|>".repeat(n);
    let (ids, took) = timed(|| tokenizer.encode_marked(&text, &plain, OPTIONS));
    assert!(ids.len() > n && took < BOUND, "{} tokens, {took:?}", ids.len());
}
