//! What GBNF grammars say of texts, a line for each grammar, for `cargo xtask compare-grammar`, which tells the form of
//! both.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a program that reports")]

use grammar::{Error, Grammar, Limits, Matcher, Token, TokenId, Vocabulary};

fn main() {
    let bytes: Vec<[u8; 1]> = (0..=255).map(|byte| [byte]).collect();
    let end = Token { text: &b""[..], is_control: true };
    let bytes = bytes.iter().map(|byte| Token { text: &byte[..], is_control: false });
    let vocabulary = Vocabulary::new(std::iter::once(end).chain(bytes), &[0]);
    let mut lines = std::io::stdin().lines().map(Result::unwrap);
    while let Some(line) = lines.next() {
        let mut words = line.split(' ');
        let (n_texts, grammar) = (words.next().unwrap().parse().unwrap(), words.next().unwrap());
        let texts: Vec<_> = lines.by_ref().take(n_texts).map(|text| decoded(&text)).collect();
        let grammar = String::from_utf8(decoded(grammar)).unwrap();
        let read = Grammar::with_tokens(&grammar, &|_| None, &Limits::default())
            .and_then(|grammar| Matcher::new(&grammar, &vocabulary));
        println!("{}", read.map_or_else(|_| "R".to_owned(), |mut matcher| answers(&mut matcher, &texts)));
    }
}

fn decoded(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..][..2], 16).unwrap()).collect()
}

fn answers(matcher: &mut Matcher, texts: &[Vec<u8>]) -> String {
    std::iter::once('I').chain(texts.iter().map(|text| answer(matcher, text))).collect()
}

fn answer(matcher: &mut Matcher, text: &[u8]) -> char {
    matcher.reset().unwrap();
    for &byte in text {
        match matcher.accept(1 + TokenId::from(byte)) {
            Ok(()) => {}
            Err(Error::Refused { .. }) => return 'n',
            Err(_) => return 'E',
        }
    }
    match matcher.is_complete() {
        true => 'y',
        false if matcher.mask().is_ok() => 'p',
        false => 'E',
    }
}
