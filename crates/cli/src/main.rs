//! `llama-rs`: the command line. Flags become configurations; the only crate that names concrete devices.
//!
//! Text and data go to standard output, everything else to standard error. Exit codes: 0 fine, 1 failed, 2 usage,
//! 130 interrupted.

mod args;
#[cfg(target_os = "linux")]
mod bus_error;
mod commands;
mod devices;
mod interrupt;
mod models;
mod npy;
mod output;
mod template_args;
mod terminal;
mod text_file;

use std::process::ExitCode;

use args::{Cli, Command};

fn main() -> ExitCode {
    #[cfg(target_os = "linux")]
    bus_error::explain();
    let cli = Cli::of(std::env::args_os());
    let done = match cli.command {
        Command::Run(args) => commands::run::run(&args),
        Command::Info(args) => commands::info::run(&args),
        Command::Tokenize(args) => commands::tokenize::run(&args),
        Command::Detokenize(args) => commands::detokenize::run(&args),
        Command::Eval(args) => commands::eval::run(&args),
        Command::Bench(args) => commands::bench::run(&args),
        Command::Perplexity(args) => commands::perplexity::run(&args),
        Command::Quantize(args) => commands::quantize::run(&args),
        Command::Template(command) => commands::template::run(&command),
        Command::Imatrix(args) => commands::imatrix::run(&args),
        Command::Synth(args) => commands::synth::run(&args),
        Command::Gguf(command) => commands::gguf::run(&command),
        Command::Completions { shell } => commands::completions::run(shell),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if output::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) if error.is::<interrupt::Interrupted>() => ExitCode::from(interrupt::EXIT_CODE),
        Err(error) => {
            output::note(&format!("error: {error:#}"));
            ExitCode::from(1)
        }
    }
}
