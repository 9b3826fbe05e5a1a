//! `llama-rs`: the command line. Flags become configurations; the only crate that names concrete devices.
//!
//! Text and data go to standard output, everything else to standard error. Exit codes: 0 fine, 1 failed, 2 usage.

mod args;
mod commands;
mod devices;
mod models;
mod npy;
mod output;

use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command {
        Command::Info(args) => commands::info::run(&args),
        Command::Tokenize(args) => commands::tokenize::run(&args),
        Command::Detokenize(args) => commands::detokenize::run(&args),
        Command::Eval(args) => commands::eval::run(&args),
        Command::Bench(args) => commands::bench::run(&args),
        Command::Quantize(args) => commands::quantize::run(&args),
        Command::Gguf(command) => commands::gguf::run(&command),
        Command::Completions { shell } => commands::completions::run(shell),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if output::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            output::note(&format!("error: {error:#}"));
            ExitCode::from(1)
        }
    }
}
