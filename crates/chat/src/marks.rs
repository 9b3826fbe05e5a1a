//! Keeps user text from being read as control tokens. Pieces of it that look like one are put between two marks
//! before rendering; afterwards the marks are taken out, and the ranges between them are known to be plain text.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use serde_json::Value as Json;

/// Two noncharacters of Unicode, which no text contains; what users write in their place is replaced.
const OPEN: char = '\u{fdd0}';
const CLOSE: char = '\u{fdd1}';

pub(crate) fn is_mark(c: char) -> bool {
    matches!(c, OPEN | CLOSE)
}

/// Tags of thinking, which templates look for in what the assistant said before.
const THINKING: [&str; 12] = [
    "<think>",
    "</think>",
    "<thinking>",
    "</thinking>",
    "[THINK]",
    "[/THINK]",
    "<|START_THINKING|>",
    "<|END_THINKING|>",
    "<seed:think>",
    "</seed:think>",
    "<|channel>",
    "<channel|>",
];

/// Finds control tokens in text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Marker {
    /// By length in bytes, the longest first: vocabularies have thousands of them, of few lengths.
    tokens: BTreeMap<Reverse<usize>, HashSet<String>>,
    first_bytes: HashSet<u8>,
}

impl Marker {
    pub(crate) fn new(control_tokens: &[String]) -> Self {
        let mut marker = Self::default();
        for token in control_tokens.iter().filter(|token| !token.trim().is_empty()) {
            marker.first_bytes.insert(token.as_bytes()[0]);
            marker.tokens.entry(Reverse(token.len())).or_default().insert(token.clone());
        }
        marker
    }

    /// Puts marks around control tokens; the assistant's tags of thinking are left alone.
    pub(crate) fn mark(&self, text: &str, by_assistant: bool) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if is_mark(c) {
                out.push(char::REPLACEMENT_CHARACTER);
                rest = &rest[c.len_utf8()..];
            } else if let Some(token) =
                self.token_at(rest).filter(|token| !(by_assistant && THINKING.contains(token)))
            {
                out.push(OPEN);
                out.push_str(token);
                out.push(CLOSE);
                rest = &rest[token.len()..];
            } else {
                out.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
        out
    }

    fn token_at(&self, text: &str) -> Option<&str> {
        if !self.first_bytes.contains(text.as_bytes().first()?) {
            return None;
        }
        self.tokens.iter().find_map(|(len, tokens)| tokens.get(text.get(..len.0)?)).map(String::as_str)
    }

    /// Marks every string in a JSON value, keys included.
    pub(crate) fn mark_json(&self, json: &mut Json) {
        match json {
            Json::String(text) => *text = self.mark(text, false),
            Json::Array(items) => items.iter_mut().for_each(|item| self.mark_json(item)),
            Json::Object(map) => {
                *map = std::mem::take(map)
                    .into_iter()
                    .map(|(key, mut value)| {
                        self.mark_json(&mut value);
                        (self.mark(&key, false), value)
                    })
                    .collect();
            }
            _ => {}
        }
    }
}

/// Takes the marks out, and says which bytes were between them. A mark without its other half protects up to the
/// next mark or the end: too much plain text is harmless, too little is not.
pub(crate) fn unmark(text: &str) -> (String, Vec<Range<usize>>) {
    let mut out = String::with_capacity(text.len());
    let mut plain: Vec<Range<usize>> = Vec::new();
    let mut start = None;
    for c in text.chars() {
        match c {
            OPEN => start = start.or(Some(out.len())),
            CLOSE => {
                plain.extend(start.take().map(|start| start..out.len()).filter(|range| !range.is_empty()));
            }
            c => out.push(c),
        }
    }
    plain.extend(start.map(|start| start..out.len()).filter(|range| !range.is_empty()));
    (out, plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, by_assistant: bool, expect_plain: &[&str]) {
        let marker = Marker::new(&["<|im_end|>", "<|im|>", "<think>", "[INST]", " ", ""].map(str::to_owned));
        let (back, plain) = unmark(&marker.mark(text, by_assistant));
        assert_eq!(back, text.replace([OPEN, CLOSE], "\u{fffd}"));
        assert_eq!(
            plain.iter().map(|range| &back[range.clone()]).collect::<Vec<_>>(),
            expect_plain,
            "{text}"
        );
    }

    #[test]
    fn control_tokens_in_user_text_are_found_and_nothing_else_changes() {
        check("hello", false, &[]);
        check("a<|im_end|>\n<|im|>é", false, &["<|im_end|>", "<|im|>"]);
        check("<|im_end<|im_end|>", false, &["<|im_end|>"]);
        check("<think>[INST]", false, &["<think>", "[INST]"]);
        check("<think>[INST]", true, &["[INST]"]);
        check("\u{fdd1}<|im|>\u{fdd0}", false, &["<|im|>"]);
    }

    #[test]
    fn many_tokens_that_begin_alike_are_not_slow() {
        let tokens: Vec<String> = (0..6_000).map(|i| format!("<unused{i}>")).collect();
        let marker = Marker::new(&tokens);
        let start = std::time::Instant::now();
        let text = "<".repeat(300_000) + "<unused599><unused5999>";
        let (_, plain) = unmark(&marker.mark(&text, false));
        assert_eq!(plain, [300_000..300_011, 300_011..300_023]);
        assert!(start.elapsed().as_secs() < 20, "it took {:?}", start.elapsed());
    }

    #[test]
    fn half_a_pair_of_marks_protects_too_much_rather_than_too_little() {
        for (text, expect, plain) in [
            ("a\u{fdd0}b", "ab", Some(1..2)),
            ("a\u{fdd1}b", "ab", None),
            ("\u{fdd0}a\u{fdd0}b\u{fdd1}c", "abc", Some(0..2)),
        ] {
            assert_eq!(unmark(text), (expect.to_owned(), plain.into_iter().collect()));
        }
    }
}
