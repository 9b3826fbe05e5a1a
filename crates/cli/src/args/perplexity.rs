//! The flags of `perplexity`. Parsing only.

use std::path::PathBuf;

use clap::{ArgGroup, Args};

use super::{CacheArgs, DeviceArgs, step_size};

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("kind").args(["kl_divergence", "hellaswag", "winogrande", "multiple_choice", "ppl_stride"])))]
pub(crate) struct PerplexityArgs {
    /// Model file; of a split file, the first part
    #[arg(short = 'm', long, value_name = "FILE")]
    pub(crate) model: PathBuf,

    /// Text or tasks to judge the model by; not needed to compare with a base model
    #[arg(
        short = 'f',
        long,
        visible_alias = "binary-file",
        value_name = "FILE",
        required_unless_present = "kl_divergence"
    )]
    pub(crate) file: Option<PathBuf>,

    /// Tokens of a window; the second half of each is scored
    #[arg(short = 'c', long, value_name = "N", default_value_t = 512)]
    pub(crate) ctx_size: usize,

    /// Tokens computed at once, as far as whole windows fit
    #[arg(short = 'b', long, value_name = "N", default_value_t = 2048)]
    pub(crate) batch_size: usize,

    /// Tokens a step
    #[arg(long, visible_alias = "ub", value_name = "N", default_value_t = 512, value_parser = step_size())]
    pub(crate) ubatch_size: usize,

    /// Windows to score at most; -1: all
    #[arg(long, value_name = "N", default_value_t = -1, allow_negative_numbers = true)]
    pub(crate) chunks: i64,

    /// Let windows overlap: start one every N tokens and score its last N
    #[arg(long, value_name = "N")]
    pub(crate) ppl_stride: Option<usize>,

    /// How the running estimate is printed: 0 as a list, 1 as a table
    #[arg(long, value_name = "0|1", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=1))]
    pub(crate) ppl_output_type: u8,

    /// File of the base model's log-probabilities: written, or read with --kl-divergence
    #[arg(long, visible_alias = "save-all-logits", value_name = "FILE")]
    pub(crate) kl_divergence_base: Option<PathBuf>,

    /// Compare with the base model of --kl-divergence-base
    #[arg(long, requires = "kl_divergence_base")]
    pub(crate) kl_divergence: bool,

    /// Score HellaSwag tasks
    #[arg(long)]
    pub(crate) hellaswag: bool,

    /// HellaSwag tasks to choose at random; 0: all
    #[arg(long, value_name = "N", default_value_t = 400)]
    pub(crate) hellaswag_tasks: usize,

    /// Score WinoGrande tasks
    #[arg(long)]
    pub(crate) winogrande: bool,

    /// WinoGrande tasks to choose at random; 0: all
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) winogrande_tasks: usize,

    /// Score multiple-choice tasks: ARC, MMLU, TruthfulQA
    #[arg(long)]
    pub(crate) multiple_choice: bool,

    /// Multiple-choice tasks to choose at random; 0: all
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) multiple_choice_tasks: usize,

    #[command(flatten)]
    pub(crate) cache: CacheArgs,

    #[command(flatten)]
    pub(crate) device: DeviceArgs,
}
