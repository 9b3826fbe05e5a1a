//! Which characters stand side by side inside some token: between any others text may be cut without changing how it
//! is tokenized, which turns one long merge into many short ones.

use crate::vocab::fold;
use std::ops::Range;

/// Approximate set of the characters that stand before one certain character: one that was never added may be reported present, never the other way.
#[derive(Debug)]
pub(crate) struct Joints {
    second: char,
    bits: Box<[u64]>,
}

/// 2^18 bits, 32 KiB: a few thousand pairs leave it nearly empty.
const N_BITS: u32 = 18;

impl Joints {
    pub(crate) fn before(second: char) -> Self {
        Self { second, bits: vec![0; 1 << (N_BITS - 6)].into_boxed_slice() }
    }

    /// Notes the pairs of one token's text.
    pub(crate) fn add(&mut self, text: &[u8]) {
        let mut utf8 = [0; 4];
        let second = self.second.encode_utf8(&mut utf8).as_bytes();
        let mut from = 1;
        while let Some(at) = find(text, second, from) {
            if let Some(first) = last_char(&text[..at]) {
                let (word, bit) = Self::slot(first);
                self.bits[word] |= bit;
            }
            from = at + 1;
        }
    }

    /// Calls `part` with the parts of `text` that no token crosses.
    pub(crate) fn cut<'t>(&self, text: &'t str, mut part: impl FnMut(&'t str)) {
        self.ranges(text.as_bytes(), |range| part(&text[range]));
    }

    /// Calls `part` with where the parts of `text` are.
    pub(crate) fn ranges(&self, text: &[u8], mut part: impl FnMut(Range<usize>)) {
        let mut utf8 = [0; 4];
        let second = self.second.encode_utf8(&mut utf8).as_bytes();
        let mut start = 0;
        for (at, _) in text.iter().enumerate().skip(1).filter(|&(_, &byte)| byte == second[0]) {
            if text[at..].starts_with(second)
                && last_char(&text[..at]).is_some_and(|first| !self.may_join(first))
            {
                part(start..at);
                start = at;
            }
        }
        if start < text.len() {
            part(start..text.len());
        }
    }

    /// Whether some token may hold `first` right before the second character.
    fn may_join(&self, first: char) -> bool {
        let (word, bit) = Self::slot(first);
        self.bits[word] & bit != 0
    }

    fn slot(first: char) -> (usize, u64) {
        let hash = fold(u64::from(first), 0x9e37_79b9_7f4a_7c15) as u32 >> (32 - N_BITS);
        (hash as usize / 64, 1 << (hash % 64))
    }
}

fn find(text: &[u8], part: &[u8], from: usize) -> Option<usize> {
    let rest = text.get(from..)?;
    rest.windows(part.len()).position(|window| window == part).map(|at| at + from)
}

fn last_char(text: &[u8]) -> Option<char> {
    let &last = text.last()?;
    if last.is_ascii() {
        return Some(char::from(last));
    }
    let start = text.iter().rposition(|&byte| byte & 0xc0 != 0x80)?;
    std::str::from_utf8(&text[start..]).ok()?.chars().next()
}
