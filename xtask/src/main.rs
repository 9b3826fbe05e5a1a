//! The chores of the project: `cargo xtask {ci,tidy,test,models,demo,compare,compare-start,compare-quantize,compare-grammar,fuzz,record-chat}`.
//! Nothing here is part of the program; no crate depends on this one.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a tool that reports to the person who ran it"
)]

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

mod cargo;
mod ci;
mod compare;
mod compare_grammar;
mod compare_quantize;
mod fuzz;
mod models;
mod record_chat;
mod tidy;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The chores of the project")]
struct Args {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Everything a change must pass: format, lints, tests, tidy, documentation
    Ci,
    /// Check the rules of the house that no compiler knows
    Tidy,
    /// Fetch what the tests need and run all of them
    Test {
        /// Passed on to `cargo test`; without any, the whole workspace is tested
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Fetch the models, vocabularies, templates and grammars that tests and the demo use, check them, print where they are
    Models {
        /// What to fetch: smollm2, gemma3, qwen2.5-coder, vocab, templates, grammars, which are fetched if none is named,
        /// and embedding-gemma (1.1 GB)
        names: Vec<String>,
    },
    /// Measure our speed and another engine's in turn, print the ratios and record them
    Compare(compare::Options),
    /// Measure how long we and llama.cpp take from the start to the first text, and record it
    CompareStart(compare::start::Options),
    /// Compare the files that our quantize and another engine's make, byte for byte
    CompareQuantize(compare_quantize::Options),
    /// Compare what we and llama.cpp make of random GBNF grammars
    CompareGrammar(compare_grammar::Options),
    /// Look for inputs that make a parser panic, hang or waste memory
    Fuzz(fuzz::Options),
    /// Record a chat on a terminal for the documentation
    RecordChat(record_chat::Options),
    /// Build the program, fetch a small model, and let it answer
    Demo {
        #[arg(default_value = "Write a short, friendly greeting to someone who just built you from source.")]
        prompt: String,
    },
}

fn main() -> ExitCode {
    let done = match Args::parse().chore {
        Chore::Ci => ci::run(),
        Chore::Tidy => tidy::run(),
        Chore::Test { args } => test(&args),
        Chore::Models { names } => models::run(&names),
        Chore::Compare(options) => compare::run(&options),
        Chore::CompareStart(options) => compare::start::run(&options),
        Chore::CompareQuantize(options) => compare_quantize::run(&options),
        Chore::CompareGrammar(options) => compare_grammar::run(&options),
        Chore::Fuzz(options) => fuzz::run(&options),
        Chore::RecordChat(options) => record_chat::run(&options),
        Chore::Demo { prompt } => demo(&prompt),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            error.chain().skip(1).for_each(|cause| eprintln!("because {cause}"));
            ExitCode::FAILURE
        }
    }
}

/// All of the workspace, with every file the tests look for in place.
fn test(args: &[String]) -> Result<()> {
    let cache = models::ensure(&[])?;
    let mut cargo = cargo::command(&["test"]);
    cargo.env(models::CACHE_VARIABLE, cache);
    match args {
        [] => cargo.args(["--workspace", "--no-fail-fast"]),
        some => cargo.args(some),
    };
    cargo::run(&mut cargo)
}

fn demo(prompt: &str) -> Result<()> {
    let program = ["--release", "--package", "cli", "--bin", "llama-rs"];
    cargo::run(cargo::command(&["build"]).args(program))?;
    let cache = models::ensure(&["smollm2".to_owned()])?;
    let mut answer = cargo::command(&["run", "--quiet"]);
    answer.args(program).args(["--", "run"]).arg(cache.join("smollm2-135m-instruct.gguf"));
    cargo::run(answer.args(["-p", prompt, "-n", "256"]))
}

/// The folder of the workspace, wherever the command was typed.
fn repository() -> PathBuf {
    // As cargo says it when it runs this: what was compiled may come from another clone with the same target folder.
    let here = std::env::var_os("CARGO_MANIFEST_DIR");
    let here = here.map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    here.parent().expect("xtask is a folder of the workspace").to_path_buf()
}
