//! The flags of `llama-rs run`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use tensor::DType;

use super::escape::unescaped;
use super::{DeviceArgs, GrammarArgs, ModelArg, SamplingArgs, kv_type, step_size};

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) model: ModelArg,

    /// What to say; without it, chat on a terminal or read standard input
    #[arg(short = 'p', long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) prompt: Option<String>,

    /// Read what to say from a file; a line break at its end is not part of it
    #[arg(short = 'f', long, value_name = "FILE", conflicts_with = "prompt")]
    pub(crate) file: Option<PathBuf>,

    /// Read what to say from a file and take it as it is, with the line break at its end
    #[arg(long, value_name = "FILE", conflicts_with_all = ["prompt", "file"], hide_short_help = true)]
    pub(crate) binary_file: Option<PathBuf>,

    /// Tokens to generate at most; -1: until the model ends
    #[arg(
        short = 'n',
        long = "predict",
        visible_alias = "n-predict",
        value_name = "N",
        env = "LLAMA_ARG_N_PREDICT",
        default_value_t = -1,
        allow_negative_numbers = true
    )]
    pub(crate) predict: i64,

    /// Context size in tokens; 0: what the model was trained with, at most 4096
    #[arg(
        short = 'c',
        long,
        value_name = "N",
        env = "LLAMA_ARG_CTX_SIZE",
        default_value_t = 0,
        value_parser = clap::value_parser!(u32).range(0..=1 << 24)
    )]
    pub(crate) ctx_size: u32,

    /// Take -p, -r, --in-prefix, --in-suffix and --dry-sequence-breaker as they are: \n and the like stay two letters
    #[arg(long, overrides_with = "escape", hide_short_help = true)]
    pub(crate) no_escape: bool,

    /// Read \n, \r, \t, \', \", \\ and \xHH in them as what they stand for; so it is unless --no-escape is given
    #[arg(short = 'e', long, overrides_with = "no_escape", hide_short_help = true)]
    escape: bool,

    /// Chat even though a prompt was given: the prompt is the first message
    #[arg(short = 'i', long, visible_alias = "conversation")]
    pub(crate) interactive: bool,

    /// Text to put before each message
    #[arg(
        long,
        value_name = "TEXT",
        allow_hyphen_values = true,
        conflicts_with = "raw",
        hide_short_help = true
    )]
    in_prefix: Option<String>,

    /// Text to put after each message
    #[arg(
        long,
        value_name = "TEXT",
        allow_hyphen_values = true,
        conflicts_with = "raw",
        hide_short_help = true
    )]
    in_suffix: Option<String>,

    /// Messages of a chat have many lines: Enter begins another one, a line that ends with \ is the last
    #[arg(long, hide_short_help = true)]
    pub(crate) multiline_input: bool,

    /// Answer once and end, on a terminal and with -i too
    #[arg(long, hide_short_help = true)]
    pub(crate) single_turn: bool,

    /// Continue the text as it is, without the model's chat template
    #[arg(long, visible_alias = "no-conversation", conflicts_with = "interactive")]
    pub(crate) raw: bool,

    /// System message that comes first in a chat
    #[arg(
        long = "system-prompt",
        visible_alias = "sys",
        value_name = "TEXT",
        allow_hyphen_values = true,
        conflicts_with = "raw"
    )]
    pub(crate) system: Option<String>,

    /// The same from a file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["raw", "system"], hide_short_help = true)]
    pub(crate) system_prompt_file: Option<PathBuf>,

    /// Chat template to use instead of the model's: the name of a usual one, or its text
    #[arg(long, value_name = "NAME|TEXT", env = "LLAMA_ARG_CHAT_TEMPLATE", conflicts_with = "raw")]
    pub(crate) chat_template: Option<String>,

    /// The same from a file
    #[arg(
        long,
        value_name = "FILE",
        env = "LLAMA_ARG_CHAT_TEMPLATE_FILE",
        conflicts_with_all = ["raw", "chat_template"]
    )]
    pub(crate) chat_template_file: Option<PathBuf>,

    /// Variables for the chat template, as a JSON object
    #[arg(
        long,
        value_name = "JSON",
        env = "LLAMA_ARG_CHAT_TEMPLATE_KWARGS",
        conflicts_with = "raw",
        hide_short_help = true
    )]
    pub(crate) chat_template_kwargs: Option<String>,

    /// Print the rendered prompt instead of an answer
    #[arg(long, conflicts_with_all = ["interactive", "raw"])]
    pub(crate) template: bool,

    /// Whether the model thinks before it answers, if it can be told
    #[arg(
        long,
        value_name = "WHEN",
        env = "LLAMA_ARG_REASONING",
        default_value = "auto",
        conflicts_with = "raw",
        hide_short_help = true
    )]
    pub(crate) reasoning: Reasoning,

    /// How much the model thinks, in the words of its template, mostly low, medium or high
    #[arg(
        long,
        value_name = "LEVEL",
        env = "LLAMA_ARG_REASONING_EFFORT",
        conflicts_with = "raw",
        hide_short_help = true
    )]
    pub(crate) reasoning_effort: Option<String>,

    /// Tokens the model may think before it answers; -1: as many as it likes, 0: none
    #[arg(
        long,
        value_name = "N",
        default_value_t = -1,
        allow_negative_numbers = true,
        env = "LLAMA_ARG_THINK_BUDGET",
        value_parser = clap::value_parser!(i64).range(-1..),
        conflicts_with = "raw"
    )]
    pub(crate) reasoning_budget: i64,

    /// What is said for the model where its thinking is cut off
    #[arg(
        long,
        value_name = "TEXT",
        env = "LLAMA_ARG_THINK_BUDGET_MESSAGE",
        allow_hyphen_values = true,
        requires = "reasoning_budget",
        hide_short_help = true
    )]
    pub(crate) reasoning_budget_message: Option<String>,

    /// Where the thinking of an answer goes
    #[arg(
        long,
        value_name = "FORMAT",
        env = "LLAMA_ARG_THINK",
        default_value = "auto",
        conflicts_with = "raw",
        hide_short_help = true
    )]
    pub(crate) reasoning_format: ReasoningFormat,

    /// Tools the model may call: a file with a JSON array of definitions, as chat APIs take them
    #[arg(long, value_name = "FILE", conflicts_with = "raw")]
    pub(crate) tools: Option<PathBuf>,

    /// Do not show what the model thinks before it answers
    #[arg(long)]
    pub(crate) hide_thinking: bool,

    /// Text that ends an answer and is not part of it; may be repeated
    #[arg(
        short = 'r',
        long = "reverse-prompt",
        visible_alias = "stop",
        value_name = "TEXT",
        allow_hyphen_values = true
    )]
    pub(crate) stop: Vec<String>,

    /// Print token counts and speed to standard error at the end
    #[arg(long, visible_alias = "show-timings")]
    pub(crate) stats: bool,

    /// Print to standard error what a model is given, and --stats
    #[arg(short = 'v', long, hide_short_help = true)]
    pub(crate) verbose: bool,

    /// Print the answer as it is, without colours and layout, on a terminal too; so it is with TERM=dumb
    #[arg(long)]
    pub(crate) plain: bool,

    /// Print special tokens of an answer by their text
    #[arg(long, visible_alias = "sp", hide_short_help = true)]
    pub(crate) special: bool,

    /// Tokens a step of a prompt
    #[arg(
        long = "ubatch-size",
        visible_alias = "ub",
        value_name = "N",
        env = "LLAMA_ARG_UBATCH",
        default_value_t = 512,
        value_parser = step_size(),
        hide_short_help = true
    )]
    pub(crate) ubatch: usize,

    /// Bound of --ubatch-size; there is no batch beside the step here
    #[arg(
        short = 'b',
        long = "batch-size",
        value_name = "N",
        env = "LLAMA_ARG_BATCH",
        default_value_t = 2048,
        value_parser = step_size(),
        hide_short_help = true
    )]
    pub(crate) batch: usize,

    /// Type of stored keys
    #[arg(
        long = "cache-type-k",
        visible_alias = "ctk",
        value_name = "TYPE",
        env = "LLAMA_ARG_CACHE_TYPE_K",
        default_value = "f16",
        value_parser = kv_type,
        hide_short_help = true
    )]
    pub(crate) key_type: DType,

    /// Type of stored values
    #[arg(
        long = "cache-type-v",
        visible_alias = "ctv",
        value_name = "TYPE",
        env = "LLAMA_ARG_CACHE_TYPE_V",
        default_value = "f16",
        value_parser = kv_type,
        hide_short_help = true
    )]
    pub(crate) value_type: DType,

    #[command(flatten)]
    pub(crate) sampling: SamplingArgs,

    #[command(flatten)]
    pub(crate) grammar: GrammarArgs,

    #[command(flatten)]
    pub(crate) device: DeviceArgs,

    #[command(flatten)]
    _so_anyway: SoAnyway,
}

/// Flags of llama.cpp that ask for what is so anyway.
#[derive(Debug, Args)]
#[command(next_help_heading = "For llama.cpp's sake")]
struct SoAnyway {
    /// Changes nothing: templates are always Jinja's
    #[arg(long, hide_short_help = true)]
    jinja: bool,

    /// Changes nothing: the prompt is never repeated
    #[arg(long, hide_short_help = true)]
    no_display_prompt: bool,

    /// Changes nothing: there is no run before the first answer
    #[arg(long, hide_short_help = true)]
    no_warmup: bool,
}

impl RunArgs {
    /// Whether a flag is given that means nothing without a chat template, be it the model's or another.
    pub(crate) fn needs_template(&self) -> bool {
        let is_named = self.chat_template.is_some() || self.chat_template_file.is_some();
        let has_system = self.system.is_some() || self.system_prompt_file.is_some();
        let thinks = self.reasoning != Reasoning::Auto || self.reasoning_budget >= 0;
        let has_variables = self.chat_template_kwargs.is_some() || self.reasoning_effort.is_some();
        is_named || has_system || thinks || has_variables || self.tools.is_some() || self.template
    }

    /// A message between its prefix and its suffix.
    pub(crate) fn framed(&self, text: &str) -> String {
        let part =
            |part: &Option<String>| part.as_deref().map_or_else(String::new, |part| self.unescaped(part));
        part(&self.in_prefix) + text + &part(&self.in_suffix)
    }

    /// A text of the command line, with its escape sequences read if they are to be.
    pub(crate) fn unescaped(&self, text: &str) -> String {
        if self.no_escape { text.to_owned() } else { unescaped(text) }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Reasoning {
    On,
    Off,
    /// As the template does it
    Auto,
}

/// llama.cpp's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReasoningFormat {
    /// The same as `deepseek`
    Auto,
    /// Stays in the answer, with its tags
    None,
    /// Kept apart: shown dimmed on a terminal, and left out elsewhere
    Deepseek,
    /// The same as `none`
    DeepseekLegacy,
}

impl ReasoningFormat {
    pub(crate) fn splits(self) -> bool {
        matches!(self, Self::Auto | Self::Deepseek)
    }
}
