//! `llama-rs tokenize`: text in, token ids out. Nothing of the model but its vocabulary is read.

use std::fmt::Write as _;
use std::io::{self, BufRead, Read};

use anyhow::{Context, Result};
use tokenizer::{Encode, TokenId, Tokenizer};

use crate::args::TokenizeArgs;
use crate::{models, output, text_file};

pub(crate) fn run(args: &TokenizeArgs) -> Result<()> {
    let tokenizer = models::tokenizer(args.model.path())?;
    let special = !args.no_special;
    let options = Encode { add_special: special, parse_special: special };
    if args.jsonl {
        return lines(&tokenizer, options);
    }
    let text = match &args.prompt {
        Some(text) => text.clone(),
        None => standard_input()?,
    };
    let ids = tokenizer.encode(&text, options);
    output::emit(&match (args.count, args.ids) {
        (true, _) => format!("{}\n", ids.len()),
        (false, true) => format!("{}\n", serde_json::to_string(&ids)?),
        (false, false) => table(&tokenizer, &ids),
    })
}

fn standard_input() -> Result<String> {
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes).context("standard input")?;
    text_file::text(bytes).context("standard input")
}

/// A JSON string a line in, a JSON array a line out, at once: a program may wait for it.
fn lines(tokenizer: &Tokenizer, options: Encode) -> Result<()> {
    for (i, line) in io::stdin().lock().lines().enumerate() {
        let text: String = serde_json::from_str(&line.context("standard input")?)
            .with_context(|| format!("line {} of standard input is not a JSON string", i + 1))?;
        output::emit(&format!("{}\n", serde_json::to_string(&tokenizer.encode(&text, options))?))?;
    }
    Ok(())
}

/// An id and its text a line.
fn table(tokenizer: &Tokenizer, ids: &[TokenId]) -> String {
    let mut out = String::new();
    for &id in ids {
        let piece = String::from_utf8_lossy(tokenizer.piece(id, true));
        writeln!(out, "{id:6} {piece:?}").expect("a string takes any text");
    }
    out
}
