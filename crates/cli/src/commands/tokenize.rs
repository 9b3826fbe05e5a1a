//! `llama-rs tokenize`: text in, token ids out.

use std::fmt::Write as _;
use std::io::{self, BufRead, BufWriter, Read, Write};

use anyhow::{Context, Result};
use gguf::Gguf;
use tokenizer::{Encode, Tokenizer};

use crate::args::TokenizeArgs;

pub(crate) fn run(args: &TokenizeArgs) -> Result<()> {
    let name = args.model.display();
    let file = Gguf::open(&args.model).with_context(|| format!("{name}"))?;
    let tokenizer = Tokenizer::from_gguf(file.metadata()).with_context(|| format!("{name}"))?;
    let special = !args.no_special;
    let options = Encode { add_special: special, parse_special: special };
    if args.jsonl { lines(&tokenizer, options) } else { text(&tokenizer, options) }
}

/// A JSON string a line in, a JSON array a line out.
fn lines(tokenizer: &Tokenizer, options: Encode) -> Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    for (i, line) in io::stdin().lock().lines().enumerate() {
        let text: String = serde_json::from_str(&line.context("standard input")?)
            .with_context(|| format!("line {} of standard input is not a JSON string", i + 1))?;
        writeln!(out, "{}", serde_json::to_string(&tokenizer.encode(&text, options))?)?;
    }
    out.flush()?;
    Ok(())
}

/// All of standard input; an id and its text a line.
fn text(tokenizer: &Tokenizer, options: Encode) -> Result<()> {
    let mut text = String::new();
    io::stdin().lock().read_to_string(&mut text).context("standard input is not UTF-8 text")?;
    let mut out = String::new();
    for id in tokenizer.encode(&text, options) {
        let piece = tokenizer.piece(id, true);
        writeln!(out, "{id:6} {:?}", String::from_utf8_lossy(&piece))?;
    }
    crate::output::emit(&out)
}
