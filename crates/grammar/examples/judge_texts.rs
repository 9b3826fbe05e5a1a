//! Says of texts whether they are of a grammar: our side of `cargo xtask compare-grammar`, which describes the lines
//! that are read and the letters that are written. It compares nothing itself.

use std::io::{self, BufRead as _, Write as _};
use std::iter;
use std::sync::Arc;

use grammar::{Constraint as _, Error, Grammar, Matcher, Token, TokenId, Vocabulary};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    // Every byte is a token, after the one that ends the text.
    let bytes: Vec<[u8; 1]> = (0..=255).map(|byte| [byte]).collect();
    let tokens = bytes.iter().map(|byte| Token { text: byte, is_control: false });
    let end = Token { text: b"", is_control: true };
    let vocabulary = Vocabulary::new(iter::once(end).chain(tokens), &[0]);
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let fields = line?.split(',').map(unhex).collect::<Result<Vec<_>>>()?;
        let (grammar, texts) = fields.split_first().ok_or("a line without a grammar")?;
        writeln!(out, "{}", judge(std::str::from_utf8(grammar)?, texts, &vocabulary)?)?;
    }
    Ok(())
}

fn judge(grammar: &str, texts: &[Vec<u8>], vocabulary: &Arc<Vocabulary>) -> Result<String> {
    let mut matcher = match Grammar::new(grammar).and_then(|grammar| Matcher::new(&grammar, vocabulary)) {
        Ok(matcher) => matcher,
        Err(Error::NoBeginning { .. }) => return Ok("L".into()),
        Err(error) => {
            writeln!(io::stderr(), "{error}")?;
            return Ok("R".into());
        }
    };
    let mut letters = String::from("G");
    for text in texts {
        matcher.reset()?;
        letters.push(judge_text(&mut matcher, text));
    }
    Ok(letters)
}

fn judge_text(matcher: &mut Matcher, text: &[u8]) -> char {
    for &byte in text {
        match matcher.accept(TokenId::from(byte) + 1) {
            Ok(()) => {}
            Err(Error::Refused { .. }) => return 'n',
            Err(_) => return 'E',
        }
    }
    if matcher.is_complete() {
        return 'y';
    }
    match matcher.mask() {
        Ok(_) => 'p',
        Err(Error::DeadEnd) => 'd',
        Err(_) => 'E',
    }
}

fn unhex(text: &str) -> Result<Vec<u8>> {
    let digits = |at| text.get(at..at + 2).ok_or("half a byte");
    (0..text.len()).step_by(2).map(|at| Ok(u8::from_str_radix(digits(at)?, 16)?)).collect()
}
