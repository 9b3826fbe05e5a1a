//! `llama-rs completions`: scripts that let a shell complete our flags.

use anyhow::Result;
use clap::CommandFactory;

use crate::args::Cli;
use crate::output;

pub(crate) fn run(shell: clap_complete::Shell) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "llama-rs", &mut script);
    output::emit(&String::from_utf8_lossy(&script))
}
