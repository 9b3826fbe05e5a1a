//! Calling cargo from a chore.

use std::env;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::repository;

/// The same cargo that runs this program, started in the repository.
pub(crate) fn command(args: &[&str]) -> Command {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(repository()).args(args);
    command
}

/// Runs to the end, output and all; an exit status other than zero is an error that repeats the command.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {command:?}"))?;
    ensure!(status.success(), "{command:?} failed: {status}");
    Ok(())
}
