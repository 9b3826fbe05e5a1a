//! `llama-rs detokenize`: token ids in, text out. Nothing of the model but its vocabulary is read.

use std::io::{self, BufRead, Read};

use anyhow::{Context, Result, bail};
use tokenizer::{Decode, TokenId, Tokenizer};

use crate::args::DetokenizeArgs;
use crate::{models, output};

pub(crate) fn run(args: &DetokenizeArgs) -> Result<()> {
    let tokenizer = models::tokenizer(args.model.path())?;
    let options = Decode { special: !args.no_special, ..Decode::default() };
    if args.jsonl {
        for (i, line) in io::stdin().lock().lines().enumerate() {
            let text = text(&tokenizer, &line.context("standard input")?, options)
                .with_context(|| format!("line {} of standard input", i + 1))?;
            output::emit(&format!("{}\n", serde_json::to_string(&String::from_utf8_lossy(&text))?))?;
        }
        Ok(())
    } else {
        let mut ids = String::new();
        io::stdin().lock().read_to_string(&mut ids).context("standard input is not text")?;
        output::emit_bytes(&text(&tokenizer, &ids, options).context("standard input")?)
    }
}

/// The bytes of a list of ids: a JSON array, or numbers with spaces or commas between them.
fn text(tokenizer: &Tokenizer, ids: &str, options: Decode) -> Result<Vec<u8>> {
    let inside = ids.trim().trim_start_matches('[').trim_end_matches(']');
    let ids: Vec<TokenId> = inside
        .split(|c: char| c == ',' || c.is_whitespace())
        .filter(|word| !word.is_empty())
        .map(|word| word.parse().with_context(|| format!("{word:?} is not a token id")))
        .collect::<Result<_>>()?;
    let n_vocab = tokenizer.vocab().len();
    if let Some(id) = ids.iter().find(|id| **id as usize >= n_vocab) {
        bail!("token {id} is outside of the vocabulary, which has {n_vocab} tokens");
    }
    Ok(tokenizer.decode(&ids, options))
}
