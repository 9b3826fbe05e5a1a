//! Every pre-tokenizer against the regular expressions it stands for, run by an engine that backtracks, on texts made
//! at random. Says how the reference reads those expressions; does not test its own reading of Unicode.

use super::PreTokenizer;
use crate::unicode::Class;
use fancy_regex::Regex;
use serde_json::Value;
use testkit::Random;

/// Texts for each list of expressions.
const N_TEXTS: u64 = 10_000;

#[test]
fn scanners_are_their_expressions() {
    let path = format!("{}/tests/data/patterns.jsonl", env!("CARGO_MANIFEST_DIR"));
    let file = std::fs::read_to_string(path).expect("test data");
    let groups: Vec<Value> = file.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let strings = |value: &Value| -> Vec<String> {
        value.as_array().expect("a list").iter().map(|s| s.as_str().expect("a string").to_owned()).collect()
    };
    let n_names: usize = groups.iter().map(|group| strings(&group["names"]).len()).sum();
    assert_eq!(n_names, 91);
    // The groups are independent, and slow with an engine that backtracks.
    let n_threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for first in 0..n_threads {
            let groups = &groups;
            scope.spawn(move || {
                for group in groups.iter().skip(first).step_by(n_threads) {
                    check(&strings(&group["names"]), &strings(&group["patterns"]));
                }
            });
        }
    });
}

fn check(names: &[String], patterns: &[String]) {
    let compile =
        |pattern: &String| Regex::new(&as_read(pattern)).unwrap_or_else(|e| panic!("{pattern}: {e}"));
    let oracle: Vec<Regex> = patterns.iter().map(compile).collect();
    let mut random = Random::new(7);
    for _ in 0..N_TEXTS {
        let text = random.text(is_known);
        let expected = lengths(&split_by(&oracle, &visible_to_regexes(&text)));
        for name in names {
            let mut words = Vec::new();
            let pre = PreTokenizer::named(name).expect("a known name");
            pre.split(&text, &mut |word| words.push(word.to_owned()));
            assert_eq!(lengths(&words), expected, "{name} on {text:?}: {words:?}");
        }
    }
}

/// What the reference makes of an expression: it knows no letter case beyond ASCII, and has code of its own for a few.
fn as_read(pattern: &str) -> String {
    const HAN: &str = r"\x{3400}-\x{4dbf}\x{4e00}-\x{9fff}\x{f900}-\x{faff}\x{20000}-\x{2a6df}\x{2a700}-\x{2b73f}\x{2b740}-\x{2ebef}\x{2f800}-\x{2fa1f}";
    const CONTRACTION: &str = "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])?";
    match pattern {
        r"\p{AFMoE_digits}" | r"\d{1,3}(?=(?:\d{3})*\b)" => {
            r"[^\p{N}]*\p{N}{1,3}(?=(?:\p{N}{3})*(?!\p{N}))".to_owned()
        }
        r"(?=(\d{3})+(?!\d))" => r"(?s).+?(?=(?:[0-9]{3})+(?![0-9])|\z)".to_owned(),
        r"\p{Han}+" => [
            &format!("[{HAN}]+"),
            &format!(r"[^\r\n\p{{L}}\p{{N}}]?[\p{{L}}--[{HAN}]]+{CONTRACTION}"),
            r"\p{N}{1,3}",
            r" ?[^\s\p{L}\p{N}]+[\r\n]*",
            r"\s*[\r\n]+",
            r"\s+(?!\S)",
            r"\s+",
        ]
        .join("|"),
        _ => ["Lu", "Ll", "Lt", "Lm", "Lo"]
            .iter()
            .fold(pattern.to_owned(), |read, letter| read.replace(&format!(r"\p{{{letter}}}"), r"\p{L}")),
    }
}

/// The text with white space beyond ASCII as the reference shows it to expressions: none of it is in any range.
fn visible_to_regexes(text: &str) -> String {
    let is_space = |c: char| !c.is_ascii() && Class::of(u32::from(c)).is(Class::WHITESPACE);
    text.chars().map(|c| if is_space(c) { '\u{b}' } else { c }).collect()
}

/// Each expression cuts the pieces that the one before left; what it does not match stays together.
fn split_by(regexes: &[Regex], text: &str) -> Vec<String> {
    let mut pieces = vec![text.to_owned()];
    for regex in regexes {
        let mut next = Vec::new();
        for piece in &pieces {
            let mut end = 0;
            for found in regex.find_iter(piece) {
                let found = found.expect("short texts stay below the engine's limits");
                next.extend([&piece[end..found.start()], found.as_str()].map(str::to_owned));
                end = found.end();
            }
            next.push(piece[end..].to_owned());
        }
        next.retain(|piece| !piece.is_empty());
        pieces = next;
    }
    pieces
}

fn lengths(pieces: &[String]) -> Vec<usize> {
    pieces.iter().map(|piece| piece.chars().count()).collect()
}

/// Whether the table has a class for the character, which newer versions of Unicode did not change.
fn is_known(c: char) -> bool {
    Class::of(u32::from(c)) != Class::UNASSIGNED
}
