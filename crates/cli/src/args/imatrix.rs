//! The flags of `imatrix`. Parsing only.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{DeviceArgs, step_size};

#[derive(Debug, Args)]
pub(crate) struct ImatrixArgs {
    /// Model file; of a split file, the first part
    #[arg(short = 'm', long, value_name = "FILE", required_unless_present = "in_file")]
    pub(crate) model: Option<PathBuf>,

    /// Text to run; without one, the files of --in-file are only merged
    #[arg(short = 'f', long, value_name = "FILE", required_unless_present = "in_file", requires = "model")]
    pub(crate) file: Option<PathBuf>,

    /// File to write
    #[arg(
        short = 'o',
        long,
        visible_alias = "output-file",
        value_name = "FILE",
        default_value = "imatrix.gguf"
    )]
    pub(crate) output: PathBuf,

    /// Format to write; default: dat for a name that ends so, else gguf
    #[arg(long, value_name = "NAME")]
    pub(crate) output_format: Option<ImatrixFormat>,

    /// Importance matrices to begin with: of other texts, or of the first chunks of this one
    #[arg(long, value_name = "FILE", value_delimiter = ',')]
    pub(crate) in_file: Vec<PathBuf>,

    /// Tokens of a chunk
    #[arg(short = 'c', long, value_name = "N", default_value_t = 512)]
    pub(crate) ctx_size: usize,

    /// Tokens a step at most
    #[arg(long, visible_alias = "ub", value_name = "N", default_value_t = 512, value_parser = step_size())]
    pub(crate) ubatch_size: usize,

    /// Chunks to run at most; -1: all
    #[arg(long, value_name = "N", default_value_t = -1, allow_negative_numbers = true)]
    pub(crate) chunks: i64,

    /// Chunks of the text to pass over
    #[arg(long, visible_alias = "chunk", value_name = "N", default_value_t = 0)]
    pub(crate) from_chunk: usize,

    /// Also collect for the output matrix
    #[arg(long)]
    pub(crate) process_output: bool,

    /// Do not compute the perplexity of the text, which takes a little longer
    #[arg(long)]
    pub(crate) no_ppl: bool,

    /// Read special tokens in the text as such
    #[arg(long)]
    pub(crate) parse_special: bool,

    /// Write the file every N chunks
    #[arg(long, visible_alias = "ofreq", value_name = "N", default_value_t = 10)]
    pub(crate) output_frequency: usize,

    /// Keep a copy, FILE.at_CHUNK, every N chunks; 0: none
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) save_frequency: usize,

    /// Show what an importance matrix says of each weight, and do nothing else
    #[arg(long, requires = "in_file", conflicts_with = "file")]
    pub(crate) show_statistics: bool,

    #[command(flatten)]
    pub(crate) device: DeviceArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ImatrixFormat {
    Gguf,
    /// The older format
    Dat,
}
