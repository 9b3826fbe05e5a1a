//! The flags of `llama-rs template`.

use std::path::PathBuf;

use chat::Moment;
use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum TemplateCommand {
    /// Render conversations with a template, as Python's jinja2 would
    Render(RenderArgs),
}

#[derive(Debug, Args)]
pub(crate) struct RenderArgs {
    /// Template file
    #[arg(long, value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// Conversations: a JSON array of objects with `name` and `vars`, the variables of the template
    #[arg(long, value_name = "FILE")]
    pub(crate) cases: PathBuf,

    /// What the clock shows, as 2026-10-03T14:05:09; default: the time now, UTC
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(crate) now: Option<Moment>,
}

fn moment(text: &str) -> Result<Moment, String> {
    Moment::parse(text).ok_or_else(|| "expected a time such as 2026-10-03T14:05:09".to_owned())
}
