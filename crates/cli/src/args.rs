//! The flags of every subcommand. Parsing only: nothing here opens a file or starts a thread.

mod bench;
mod cache;
mod environment;
mod escape;
mod gguf;
mod grammar;
mod imatrix;
mod model;
mod perplexity;
mod quantize;
mod run;
mod sampling;
mod short;
mod synth;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::RangedU64ValueParser;
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};
use tensor::DType;

pub(crate) use bench::{BenchArgs, BenchOutput};
pub(crate) use cache::{CacheArgs, kv_type};
pub(crate) use gguf::{GgufCommand, SetArgs, SplitArgs};
pub(crate) use grammar::GrammarArgs;
pub(crate) use imatrix::{ImatrixArgs, ImatrixFormat};
pub(crate) use model::ModelArg;
pub(crate) use perplexity::PerplexityArgs;
pub(crate) use quantize::QuantizeArgs;
pub(crate) use run::{Reasoning, RunArgs};
pub(crate) use sampling::{MIROSTATS, SamplingArgs, last_n};

use crate::template_args::TemplateCommand;
pub(crate) use synth::{ShapeName, SynthArgs};

/// Runs language models from GGUF files on this machine.
#[derive(Debug, Parser)]
#[command(
    name = "llama-rs",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    // As with llama.cpp, the last of two counts.
    args_override_self = true
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Cli {
    /// What the command line and the environment say; ends the program if they are wrong.
    pub(crate) fn of(args: impl IntoIterator<Item = OsString>) -> Self {
        let args = short::expanded(Self::command(), args);
        let matches = environment::without_contradictions(Self::command(), &args).get_matches_from(args);
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Answer a prompt, or chat
    Run(Box<RunArgs>),
    /// Show what a model file is
    Info(InfoArgs),
    /// Turn text into token ids
    Tokenize(TokenizeArgs),
    /// Turn token ids into text
    Detokenize(DetokenizeArgs),
    /// Compute logits or embeddings of given tokens, as a NumPy file
    Eval(EvalArgs),
    /// Measure tokens per second
    Bench(BenchArgs),
    /// Judge a model: perplexity of a text, divergence from a base model, scores of tasks
    Perplexity(PerplexityArgs),
    /// Make a smaller file of a model
    Quantize(QuantizeArgs),
    /// Work with chat templates
    #[command(subcommand)]
    Template(TemplateCommand),
    /// Collect how strongly a text uses each weight, for better quantization
    Imatrix(ImatrixArgs),
    /// Write a model file of random weights, to measure speed with
    Synth(SynthArgs),
    /// Split, merge, edit, show and compare GGUF files
    #[command(subcommand)]
    Gguf(GgufCommand),
    /// Print a completion script for a shell
    Completions {
        /// The shell to complete in
        shell: clap_complete::Shell,
    },
}

/// How many tokens a step may have.
fn step_size() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..=1 << 24)
}

/// Where a model runs.
#[derive(Debug, Args)]
#[command(next_help_heading = "Device")]
pub(crate) struct DeviceArgs {
    /// Threads to compute with; default: the cores this process may use
    #[arg(
        short = 't',
        long,
        value_name = "N",
        env = "LLAMA_ARG_THREADS",
        value_parser = clap::value_parser!(u16).range(1..=512)
    )]
    pub(crate) threads: Option<u16>,

    /// Threads to compute steps of several tokens with, as those of prompts are; default: as many as --threads
    #[arg(
        long,
        value_name = "N",
        value_parser = clap::value_parser!(u16).range(1..=512),
        hide_short_help = true
    )]
    pub(crate) threads_batch: Option<u16>,

    /// Accepted for llama.cpp's sake and changes nothing: attention always takes one pass, without a table of scores
    #[arg(long, value_name = "WHEN", env = "LLAMA_ARG_FLASH_ATTN", hide_short_help = true)]
    flash_attn: Option<FlashAttention>,

    /// Device family to run on
    #[arg(long, value_name = "NAME", default_value = "cpu")]
    pub(crate) backend: Backend,

    /// Instruction set to use, for tests and comparisons; default: the best this processor has
    #[arg(long, value_name = "NAME", hide_short_help = true)]
    pub(crate) isa: Option<String>,

    /// Layers to keep on the GPU; without a GPU there is nothing to move
    #[arg(
        long = "n-gpu-layers",
        visible_alias = "gpu-layers",
        value_name = "N",
        env = "LLAMA_ARG_N_GPU_LAYERS"
    )]
    pub(crate) n_gpu_layers: Option<u32>,

    /// Where weights are; `none` generates faster where memory is read faster than mapped files, but starts slower
    #[arg(long, value_name = "MODE", default_value = "auto", env = "LLAMA_ARG_LOAD_MODE")]
    pub(crate) load_mode: LoadMode,
}

/// llama.cpp's words for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FlashAttention {
    #[value(aliases = ["enabled", "true", "1"])]
    On,
    #[value(aliases = ["disabled", "false", "0"])]
    Off,
    #[value(alias = "-1")]
    Auto,
}

/// llama.cpp's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LoadMode {
    /// The same as `mmap`
    Auto,
    /// In the file, which is mapped: nothing is read before it is used, and processes share it
    Mmap,
    /// In memory of their own, read at the start; also `--no-mmap`
    None,
    /// As `none`, and never paged out; also `--mlock`
    Mlock,
    /// As `mmap`, and never paged out
    #[value(name = "mmap+mlock")]
    MmapMlock,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Backend {
    /// The processor
    Cpu,
}

#[derive(Debug, Args)]
pub(crate) struct InfoArgs {
    #[command(flatten)]
    pub(crate) model: ModelArg,

    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,

    /// List every tensor
    #[arg(long)]
    pub(crate) tensors: bool,
}

#[derive(Debug, Args)]
pub(crate) struct EvalArgs {
    #[command(flatten)]
    pub(crate) model: ModelArg,

    /// Token ids, separated by commas
    #[arg(long, value_name = "IDS", required = true, value_delimiter = ',')]
    pub(crate) tokens: Vec<u32>,

    /// NumPy file to write: float32, one row a token, or one row when pooled
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,

    /// Write final hidden states instead of logits
    #[arg(long)]
    pub(crate) embeddings: bool,

    /// How the hidden states become one row
    #[arg(long, value_name = "KIND", default_value = "none", requires = "embeddings")]
    pub(crate) pooling: Pooling,

    /// Tokens a step; default: all at once
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) chunk: Option<u32>,

    /// Type of the key-value cache
    #[arg(long, value_name = "TYPE", default_value = "f16", value_parser = kv_type)]
    pub(crate) kv: DType,

    #[command(flatten)]
    pub(crate) device: DeviceArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Pooling {
    None,
    Mean,
    /// The first token's row
    Cls,
    Last,
}

#[derive(Debug, Args)]
pub(crate) struct TokenizeArgs {
    #[command(flatten)]
    pub(crate) model: ModelArg,

    /// The text; default: standard input
    #[arg(short = 'p', long, value_name = "TEXT", allow_hyphen_values = true, conflicts_with = "jsonl")]
    pub(crate) prompt: Option<String>,

    /// Each input line is a JSON string, each output line a JSON array of ids
    #[arg(long)]
    pub(crate) jsonl: bool,

    /// Print one JSON array of ids
    #[arg(long, conflicts_with_all = ["jsonl", "count"])]
    pub(crate) ids: bool,

    /// Print only how many tokens there are
    #[arg(long, conflicts_with = "jsonl")]
    pub(crate) count: bool,

    /// Neither add special tokens nor recognise them in the text
    #[arg(long)]
    pub(crate) no_special: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DetokenizeArgs {
    #[command(flatten)]
    pub(crate) model: ModelArg,

    /// Each input line is a JSON array of ids, each output line a JSON string
    #[arg(long)]
    pub(crate) jsonl: bool,

    /// Leave the texts of special tokens out
    #[arg(long)]
    pub(crate) no_special: bool,
}
