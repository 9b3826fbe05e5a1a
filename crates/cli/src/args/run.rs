//! The flags of `llama-rs run`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use tensor::DType;

use super::escape::unescaped;
use super::{DeviceArgs, GrammarArgs, ModelArg, SamplingArgs, kv_type};

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) model: ModelArg,

    /// What to say; without it, chat on a terminal or read standard input
    #[arg(short = 'p', long, value_name = "TEXT")]
    pub(crate) prompt: Option<String>,

    /// Read what to say from a file; a line break at its end is not part of it
    #[arg(short = 'f', long, value_name = "FILE", conflicts_with = "prompt")]
    pub(crate) file: Option<PathBuf>,

    /// Tokens to generate at most; -1: until the model ends
    #[arg(
        short = 'n',
        long = "predict",
        visible_alias = "n-predict",
        value_name = "N",
        default_value_t = -1,
        allow_negative_numbers = true
    )]
    pub(crate) predict: i64,

    /// Context size in tokens; 0: what the model was trained with, at most 4096
    #[arg(
        short = 'c',
        long,
        value_name = "N",
        default_value_t = 0,
        value_parser = clap::value_parser!(u32).range(0..=1 << 24)
    )]
    pub(crate) ctx_size: u32,

    /// Take -p, -r and --dry-sequence-breaker as they are: \n and the like stay two letters
    #[arg(long, overrides_with = "escape", hide_short_help = true)]
    pub(crate) no_escape: bool,

    /// Read \n, \r, \t, \', \", \\ and \xHH in them as what they stand for; so it is unless --no-escape is given
    #[arg(short = 'e', long, overrides_with = "no_escape", hide_short_help = true)]
    escape: bool,

    /// Chat even though a prompt was given: the prompt is the first message
    #[arg(short = 'i', long, visible_alias = "conversation")]
    pub(crate) interactive: bool,

    /// Answer once and end, on a terminal and with -i too
    #[arg(long, hide_short_help = true)]
    pub(crate) single_turn: bool,

    /// Continue the text as it is, without the model's chat template
    #[arg(long, visible_alias = "no-conversation", conflicts_with = "interactive")]
    pub(crate) raw: bool,

    /// System message that comes first in a chat
    #[arg(long = "system-prompt", visible_alias = "sys", value_name = "TEXT", conflicts_with = "raw")]
    pub(crate) system: Option<String>,

    /// The same from a file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["raw", "system"], hide_short_help = true)]
    pub(crate) system_prompt_file: Option<PathBuf>,

    /// Chat template to use instead of the model's: the name of a usual one, or its text
    #[arg(long, value_name = "NAME|TEXT", conflicts_with = "raw")]
    pub(crate) chat_template: Option<String>,

    /// The same from a file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["raw", "chat_template"])]
    pub(crate) chat_template_file: Option<PathBuf>,

    /// Variables for the chat template, as a JSON object
    #[arg(long, value_name = "JSON", conflicts_with = "raw", hide_short_help = true)]
    pub(crate) chat_template_kwargs: Option<String>,

    /// Print the rendered prompt instead of an answer
    #[arg(long, conflicts_with_all = ["interactive", "raw"])]
    pub(crate) template: bool,

    /// Whether the model thinks before it answers, if it can be told
    #[arg(long, value_name = "WHEN", default_value = "auto", conflicts_with = "raw", hide_short_help = true)]
    pub(crate) reasoning: Reasoning,

    /// How much the model thinks, in the words of its template, mostly low, medium or high
    #[arg(long, value_name = "LEVEL", conflicts_with = "raw", hide_short_help = true)]
    pub(crate) reasoning_effort: Option<String>,

    /// Tokens the model may think before it answers; -1: as many as it likes, 0: none
    #[arg(
        long,
        value_name = "N",
        default_value_t = -1,
        allow_negative_numbers = true,
        value_parser = clap::value_parser!(i64).range(-1..),
        conflicts_with = "raw"
    )]
    pub(crate) reasoning_budget: i64,

    /// What is said for the model where its thinking is cut off
    #[arg(long, value_name = "TEXT", requires = "reasoning_budget", hide_short_help = true)]
    pub(crate) reasoning_budget_message: Option<String>,

    /// Tools the model may call: a file with a JSON array of definitions, as chat APIs take them
    #[arg(long, value_name = "FILE", conflicts_with = "raw")]
    pub(crate) tools: Option<PathBuf>,

    /// Do not show what the model thinks before it answers
    #[arg(long)]
    pub(crate) hide_thinking: bool,

    /// Text that ends an answer and is not part of it; may be repeated
    #[arg(short = 'r', long = "reverse-prompt", visible_alias = "stop", value_name = "TEXT")]
    pub(crate) stop: Vec<String>,

    /// Print token counts and speed to standard error at the end
    #[arg(long, visible_alias = "show-timings")]
    pub(crate) stats: bool,

    /// Print the answer as it is, without colours and layout, on a terminal too
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
        default_value_t = 512,
        hide_short_help = true
    )]
    pub(crate) ubatch: usize,

    /// Type of stored keys
    #[arg(
        long = "cache-type-k",
        visible_alias = "ctk",
        value_name = "TYPE",
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

/// Flags of llama.cpp that ask for what is so anyway: templates are Jinja's, and the prompt is not repeated.
#[derive(Debug, Args)]
struct SoAnyway {
    #[arg(long, hide = true)]
    jinja: bool,
    #[arg(long, hide = true)]
    no_display_prompt: bool,
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
