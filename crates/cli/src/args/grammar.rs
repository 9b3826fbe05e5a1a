//! What an answer must keep to: flags only, compiled where the vocabulary is.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
#[command(next_help_heading = "Form of the answer")]
#[group(multiple = false)]
pub(crate) struct GrammarArgs {
    /// Grammar in GBNF
    #[arg(long, value_name = "TEXT")]
    pub(crate) grammar: Option<String>,

    /// The same from a file
    #[arg(long, value_name = "FILE")]
    pub(crate) grammar_file: Option<PathBuf>,

    /// JSON schema; {} for any JSON
    #[arg(short = 'j', long, value_name = "JSON")]
    pub(crate) json_schema: Option<String>,

    /// The same from a file
    #[arg(long, visible_alias = "jf", value_name = "FILE")]
    pub(crate) json_schema_file: Option<PathBuf>,

    /// Regular expression that the whole answer matches
    #[arg(long, value_name = "PATTERN", allow_hyphen_values = true)]
    pub(crate) regex: Option<String>,
}

impl GrammarArgs {
    /// Whether one of them is given.
    pub(crate) fn is_any(&self) -> bool {
        let Self { grammar, grammar_file, json_schema, json_schema_file, regex } = self;
        let texts = [grammar, json_schema, regex];
        texts.iter().any(|text| text.is_some()) || grammar_file.is_some() || json_schema_file.is_some()
    }
}
