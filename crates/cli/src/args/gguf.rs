//! The flags of `gguf` and its subcommands.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum GgufCommand {
    /// Write a file as several parts
    Split(SplitArgs),
    /// Write the parts of a split file as one
    Merge {
        /// The first part
        input: PathBuf,
        /// File to write
        output: PathBuf,
    },
    /// Change metadata
    Set(SetArgs),
    /// Print one metadata value
    Get {
        /// File to read; of a split file, the first part
        input: PathBuf,
        /// The key
        key: String,
    },
    /// Print all metadata and list all tensors, as JSON
    Dump {
        /// File to read; of a split file, the first part
        input: PathBuf,
    },
    /// List what differs between two files; fails if anything does
    Diff {
        /// The one file
        first: PathBuf,
        /// The other
        second: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct SplitArgs {
    /// File to read
    pub(crate) input: PathBuf,

    /// What the names of the parts begin with: PREFIX-00001-of-00003.gguf
    pub(crate) prefix: PathBuf,

    /// Most tensors of a part
    #[arg(long, value_name = "N", default_value_t = 128, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) split_max_tensors: u32,

    /// Most bytes of a part's tensors, as 500M or 2G, instead of a number of tensors
    #[arg(long, value_name = "SIZE", value_parser = convert::edit::parse_size, conflicts_with = "split_max_tensors")]
    pub(crate) split_max_size: Option<u64>,

    /// Put only metadata into the first part
    #[arg(long)]
    pub(crate) no_tensor_first_split: bool,

    /// Show the parts, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SetArgs {
    /// File to read
    pub(crate) input: PathBuf,

    /// What to set; TYPE is u8 to u64, i8 to i64, f32, f64, bool or string (default: the type it has)
    #[arg(value_name = "KEY=[TYPE:]VALUE", required = true)]
    pub(crate) values: Vec<String>,

    /// File to write
    #[arg(short = 'o', long, value_name = "FILE", required_unless_present = "in_place")]
    pub(crate) out: Option<PathBuf>,

    /// Change the file itself, where the values keep type and size
    #[arg(long, conflicts_with = "out")]
    pub(crate) in_place: bool,
}
