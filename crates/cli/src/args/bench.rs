//! The flags of `bench`. Parsing only.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{CacheArgs, DeviceArgs, step_size};

#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// Model files to measure
    #[arg(short = 'm', long = "model", value_name = "FILE", required = true, value_delimiter = ',')]
    pub(crate) models: Vec<PathBuf>,

    /// Prompt lengths to measure, in tokens; 0: none
    #[arg(short = 'p', long, value_name = "N", default_value = "512", value_delimiter = ',')]
    pub(crate) n_prompt: Vec<usize>,

    /// Generation lengths to measure, in tokens; 0: none
    #[arg(short = 'n', long, value_name = "N", default_value = "128", value_delimiter = ',')]
    pub(crate) n_gen: Vec<usize>,

    /// A prompt and a generation measured together, as PROMPT,GENERATION
    #[arg(long = "pg", value_name = "P,N")]
    pub(crate) prompt_gen: Vec<String>,

    /// Tokens already in the context when measuring starts
    #[arg(short = 'd', long = "n-depth", value_name = "N", default_value = "0", value_delimiter = ',')]
    pub(crate) n_depth: Vec<usize>,

    /// Measure several sequences at once: prompt lengths of each
    #[arg(long, value_name = "N", value_delimiter = ',', requires = "npl")]
    pub(crate) npp: Vec<usize>,

    /// Generation lengths of each sequence
    #[arg(long, value_name = "N", value_delimiter = ',', requires = "npl")]
    pub(crate) ntg: Vec<usize>,

    /// Numbers of sequences
    #[arg(long, value_name = "N", value_delimiter = ',', requires_all = ["npp", "ntg"],
        conflicts_with_all = ["n_prompt", "n_gen", "prompt_gen", "n_depth", "repetitions"])]
    pub(crate) npl: Vec<usize>,

    /// One prompt for all sequences, computed once
    #[arg(long = "shared-prompt", visible_alias = "pps", requires = "npl")]
    pub(crate) shared_prompt: bool,

    /// Repetitions of each measurement
    #[arg(short = 'r', long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) repetitions: u32,

    /// Tokens a step
    #[arg(long = "ubatch-size", visible_alias = "ub", value_name = "N", default_value_t = 512, value_parser = step_size())]
    pub(crate) ubatch: usize,

    /// How to print
    #[arg(short = 'o', long, value_name = "FORMAT", default_value = "md")]
    pub(crate) output: BenchOutput,

    /// Measure after each generation how fast memory is read, and show what share of it generating took;
    /// takes half a second and 512 MiB
    #[arg(long, conflicts_with = "npl")]
    pub(crate) bandwidth: bool,

    /// Skip the run that warms caches up
    #[arg(long)]
    pub(crate) no_warmup: bool,

    #[command(flatten)]
    pub(crate) cache: CacheArgs,

    #[command(flatten)]
    pub(crate) device: DeviceArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BenchOutput {
    /// A Markdown table
    Md,
    /// A JSON array with one object a test
    Json,
}
