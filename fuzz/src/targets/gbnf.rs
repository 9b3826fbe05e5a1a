//! A GBNF grammar, NUL, and which tokens to write by it.

use std::sync::LazyLock;

use grammar::{Grammar, Limits, Matcher};

use super::walk;
use crate::input::Input;
use crate::small::PIECES;

/// Lower than the defaults, so that what runs into a limit does so soon.
static LIMITS: LazyLock<Limits> =
    LazyLock::new(|| Limits { work: 200_000, memory_bytes: 8 << 20, steps: 1 << 16, ..Limits::default() });

pub(crate) fn run(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let text = String::from_utf8_lossy(input.until_nul());
    let find = |name: &str| PIECES.find(name.as_bytes());
    let Ok(grammar) = Grammar::with_tokens(&text, &find, &LIMITS) else { return };
    let Ok(mut matcher) = Matcher::new(&grammar, &PIECES) else { return };
    walk::write(&mut matcher, &PIECES, &mut input);
}
