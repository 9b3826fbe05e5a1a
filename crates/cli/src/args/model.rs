//! The model file: an argument of its own, or llama.cpp's flag.

use std::path::{Path, PathBuf};

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct ModelArg {
    /// Model file; of a split file, the first part
    #[arg(value_name = "MODEL", required_unless_present = "file_of_model")]
    model: Option<PathBuf>,

    /// The model file, given as a flag
    #[arg(
        id = "file_of_model",
        short = 'm',
        long = "model",
        value_name = "FILE",
        env = "LLAMA_ARG_MODEL",
        conflicts_with = "model"
    )]
    flag: Option<PathBuf>,
}

impl ModelArg {
    pub(crate) fn path(&self) -> &Path {
        self.model.as_deref().or(self.flag.as_deref()).expect("one of them is required")
    }
}
