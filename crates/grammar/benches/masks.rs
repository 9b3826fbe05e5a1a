//! How long masks take: random texts are written by sample grammars, and every mask is timed. `cargo bench -p grammar
//! --bench masks [-- FILE..]`: files whose name ends in `.gbnf` are grammars to be measured too; another one holds a
//! vocabulary, each token as hexadecimal digits in a line of its own, the last one ending the text. Without it a
//! vocabulary of 128,000 made-up tokens is used.
#![expect(clippy::print_stdout, reason = "a program that reports")]

use std::fs;
use std::time::{Duration, Instant};

use grammar::{Constraint, Grammar, Limits, Matcher, Schema, Token, TokenId, Vocabulary};

const GRAMMARS: [(&str, &str); 7] = [
    ("json", include_str!("../tests/data/json.gbnf")),
    ("arithmetic", include_str!("../tests/data/arithmetic.gbnf")),
    ("chess", include_str!("../tests/data/chess.gbnf")),
    ("list", include_str!("../tests/data/list.gbnf")),
    ("code", include_str!("../tests/data/code.gbnf")),
    ("scripts", include_str!("../tests/data/scripts.gbnf")),
    ("counted", r#"root ::= "{" ( "\"" [^"\\]{1,500} "\": " [0-9]{1,9} ","? )+ "}""#),
];

const SCHEMA: &str = r#"{"type": "object", "required": ["name", "tags"], "properties": {"name": {"type": "string",
    "maxLength": 40}, "age": {"type": "integer", "minimum": 0}, "tags": {"type": "array", "items": {"enum": ["a", "bc"]}}}}"#;

fn main() {
    let files = std::env::args().skip(1).filter(|arg| !arg.starts_with("--"));
    let (grammars, vocabularies): (Vec<_>, Vec<_>) = files.partition(|name| name.ends_with(".gbnf"));
    let texts = vocabularies.first().map_or_else(made_up, |path| read(path));
    let end = texts.len() as TokenId - 1;
    let begun = Instant::now();
    let tokens = texts.iter().map(|text| Token { text, is_control: text.starts_with(b"<|") });
    let vocabulary = Vocabulary::new(tokens, &[end]);
    println!("{} tokens, trie in {:.1?}", texts.len(), begun.elapsed());
    for (name, text) in GRAMMARS {
        let begun = Instant::now();
        let grammar = Grammar::new(text).expect(name);
        let compiled = begun.elapsed();
        measure(name, compiled, &Matcher::new(&grammar, &vocabulary).expect(name), &vocabulary);
    }
    for path in &grammars {
        let text = fs::read_to_string(path).expect("the grammar can be read");
        let begun = Instant::now();
        let grammar = Grammar::new(&text).expect(path);
        let compiled = begun.elapsed();
        measure(path, compiled, &Matcher::new(&grammar, &vocabulary).expect(path), &vocabulary);
    }
    let schema =
        |text: &str| Schema::json_text(text, &vocabulary, &Limits::default()).expect("it can be enforced");
    let begun = Instant::now();
    schema("{}");
    println!("llguidance's view of the vocabulary in {:.1?}", begun.elapsed());
    let begun = Instant::now();
    let constraint = schema(SCHEMA);
    measure("schema", begun.elapsed(), &constraint, &vocabulary);
}

/// How often each text is written anew; each mask counts as its fastest, as other programs run too.
const N_PASSES: usize = 3;

fn measure(name: &str, compiled: Duration, constraint: &dyn Constraint, vocabulary: &Vocabulary) {
    let passes: Vec<_> = (0..N_PASSES).map(|_| write(constraint.boxed_clone(), vocabulary)).collect();
    let n = passes[0].0.len();
    let fastest = |i: usize| passes.iter().map(|(masks, _)| masks[i]).min().expect("there are passes");
    let mut masks: Vec<Duration> = (0..n).map(fastest).collect();
    let accepts = passes.iter().map(|(_, accepts)| *accepts).min().expect("there are passes");
    let mean = masks.iter().sum::<Duration>() / n as u32;
    masks.sort_unstable();
    println!(
        "{name:>12}: compile {compiled:.1?}, mask median {:.1?}, mean {mean:.1?}, p99 {:.1?}, worst {:.1?}; accept {:.1?}",
        masks[n / 2],
        masks[n * 99 / 100],
        masks[n - 1],
        accepts / n as u32,
    );
}

/// Writes random texts; the time of each mask, and of all accepting.
fn write(mut constraint: Box<dyn Constraint>, vocabulary: &Vocabulary) -> (Vec<Duration>, Duration) {
    let mut seed = 1u64;
    let mut below = |n: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % n
    };
    let (mut masks, mut accepts) = (Vec::new(), Duration::ZERO);
    while masks.len() < 2000 {
        constraint.reset().expect("it can start again");
        for _ in 0..100 {
            let begun = Instant::now();
            let mask = constraint.mask().expect("the text can go on").expect("it constrains");
            masks.push(begun.elapsed());
            let is_short = |token: &TokenId| vocabulary.text(*token).is_some_and(|text| text.len() < 12);
            let goes_on = |token: &TokenId| !vocabulary.is_eog(*token) && is_short(token);
            let allowed: Vec<TokenId> = mask.iter().filter(goes_on).collect();
            if allowed.is_empty() {
                break;
            }
            let token = allowed[below(allowed.len())];
            let begun = Instant::now();
            constraint.accept(token).expect("it was allowed");
            accepts += begun.elapsed();
        }
    }
    (masks, accepts)
}

fn read(path: &str) -> Vec<Vec<u8>> {
    let text = fs::read_to_string(path).expect("the vocabulary can be read");
    let byte = |digits: &[u8]| {
        let digits = std::str::from_utf8(digits).expect("hexadecimal digits");
        u8::from_str_radix(digits, 16).expect("hexadecimal digits")
    };
    text.lines().map(|line| line.as_bytes().chunks(2).map(byte).collect()).collect()
}

/// All bytes; numbers; words of syllables with and without a space or capital; runs of punctuation.
fn made_up() -> Vec<Vec<u8>> {
    let mut texts: Vec<String> = (0..1000).map(|n| n.to_string()).collect();
    let syllables = [
        "a", "be", "con", "di", "er", "for", "ing", "ly", "men", "non", "or", "pre", "qui", "re", "st",
        "tion", "un", "ver",
    ];
    let marks = [
        "\"", "'", ",", ":", ";", ".", "{", "}", "[", "]", "(", ")", "\n", " ", "=", "+", "-", "*", "/", "é",
        "ж", "日", "😀",
    ];
    let mut words: Vec<String> = syllables.map(str::to_owned).to_vec();
    for n in 0.. {
        if words.len() > 45_000 {
            break;
        }
        let first = words[n].clone();
        words.extend(syllables.map(|last| format!("{first}{last}")));
    }
    texts.extend(words.iter().flat_map(|word| {
        [word.clone(), format!(" {word}"), format!("{}{}", word[..1].to_uppercase(), &word[1..])]
    }));
    for first in marks {
        texts.extend(marks.iter().flat_map(|second| marks.map(|third| format!("{first}{second}{third}"))));
    }
    let bytes = (0..=u8::MAX).map(|byte| vec![byte]);
    let mut all: Vec<Vec<u8>> = bytes.chain(texts.into_iter().map(String::into_bytes)).collect();
    all.truncate(127_999);
    all.push(b"<|end|>".to_vec());
    all
}
