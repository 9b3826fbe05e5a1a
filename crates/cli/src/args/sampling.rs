//! How the next token is chosen: llama.cpp's flags, names and defaults. Text becomes numbers here; ids of texts are
//! found later, when there is a vocabulary.

use anyhow::{Context as _, Result, bail};
use clap::Args;
use sampling::{Kind, Mirostat, Params, TokenId};

/// By number.
pub(crate) const MIROSTATS: [Mirostat; 3] = [Mirostat::Off, Mirostat::V1, Mirostat::V2];

/// A number of last tokens; negative for all of them.
pub(crate) fn last_n(n: i64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

/// Where a flag is absent, the model may know better than the default that its help names.
#[derive(Debug, Args)]
#[command(next_help_heading = "Sampling")]
pub(crate) struct SamplingArgs {
    /// Temperature; 0 always takes the likeliest token; default: 0.8
    #[arg(
        long,
        visible_alias = "temperature",
        value_name = "F",
        allow_negative_numbers = true,
        env = "LLAMA_ARG_TEMPERATURE"
    )]
    pub(crate) temp: Option<f32>,

    /// Keep the K likeliest tokens; 0 keeps all; default: 40
    #[arg(long, value_name = "K", allow_negative_numbers = true, env = "LLAMA_ARG_TOP_K")]
    pub(crate) top_k: Option<i32>,

    /// Keep the likeliest tokens that together reach this probability; 1 keeps all; default: 0.95
    #[arg(long, value_name = "F", allow_negative_numbers = true, env = "LLAMA_ARG_TOP_P")]
    pub(crate) top_p: Option<f32>,

    /// Drop tokens less likely than this share of the likeliest; 0 keeps all; default: 0.05
    #[arg(long, value_name = "F", allow_negative_numbers = true, env = "LLAMA_ARG_MIN_P")]
    pub(crate) min_p: Option<f32>,

    /// Seed of the random choices; -1 or none: another one each time
    #[arg(short = 's', long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) seed: Option<i64>,

    /// Divide the scores of recent tokens by this; 1 does nothing; default: 1
    #[arg(long, value_name = "F", allow_negative_numbers = true, env = "LLAMA_ARG_REPEAT_PENALTY")]
    repeat_penalty: Option<f32>,

    /// Subtract this for each time a recent token occurred
    #[arg(
        long,
        value_name = "F",
        default_value_t = 0.0,
        allow_negative_numbers = true,
        env = "LLAMA_ARG_FREQUENCY_PENALTY"
    )]
    frequency_penalty: f32,

    /// Subtract this if a recent token occurred at all
    #[arg(
        long,
        value_name = "F",
        default_value_t = 0.0,
        allow_negative_numbers = true,
        env = "LLAMA_ARG_PRESENCE_PENALTY"
    )]
    presence_penalty: f32,

    /// How many tokens count as recent; -1: all; default: 64
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(i64).range(-1..))]
    repeat_last_n: Option<i64>,

    /// Samplers in their order, by name, with `;` between them
    #[arg(long, value_name = "NAMES", hide_short_help = true, conflicts_with = "sampler_seq")]
    samplers: Option<String>,

    /// Samplers in their order, a letter each: edskypmxt
    #[arg(long, visible_alias = "sampling-seq", value_name = "LETTERS", hide_short_help = true)]
    sampler_seq: Option<String>,

    /// Never end the text
    #[arg(long, hide_short_help = true)]
    ignore_eos: bool,

    /// Change the score of a token: ID+BIAS or ID-BIAS; may be repeated
    #[arg(short = 'l', long, value_name = "ID±B", hide_short_help = true)]
    logit_bias: Vec<String>,

    /// Keep tokens of typical surprise up to this total probability; 1 keeps all
    #[arg(
        long = "typical-p",
        visible_alias = "typical",
        value_name = "F",
        allow_negative_numbers = true,
        default_value_t = 1.0,
        hide_short_help = true
    )]
    typical_p: f32,

    /// Keep tokens within this many standard deviations of the best; -1: off
    #[arg(
        long = "top-n-sigma",
        visible_alias = "top-nsigma",
        value_name = "F",
        default_value_t = -1.0,
        allow_negative_numbers = true,
        hide_short_help = true
    )]
    top_n_sigma: f32,

    /// Chance of removing the likeliest tokens (XTC); default: 0
    #[arg(long, value_name = "F", allow_negative_numbers = true, hide_short_help = true)]
    xtc_probability: Option<f32>,

    /// Probability from which XTC counts a token as likely; default: 0.1
    #[arg(long, value_name = "F", allow_negative_numbers = true, hide_short_help = true)]
    xtc_threshold: Option<f32>,

    /// Strength of the penalty on repeated sequences (DRY); 0: off
    #[arg(
        long,
        value_name = "F",
        allow_negative_numbers = true,
        default_value_t = 0.0,
        hide_short_help = true
    )]
    dry_multiplier: f32,

    /// Base of the exponential growth of that penalty
    #[arg(
        long,
        value_name = "F",
        allow_negative_numbers = true,
        default_value_t = 1.75,
        hide_short_help = true
    )]
    dry_base: f32,

    /// Repetitions up to this length go unpunished
    #[arg(long, value_name = "N", default_value_t = 2, hide_short_help = true)]
    dry_allowed_length: usize,

    /// Tokens in which repetitions are looked for; -1: all
    #[arg(
        long,
        value_name = "N",
        default_value_t = 64,
        allow_negative_numbers = true,
        value_parser = clap::value_parser!(i64).range(-1..),
        hide_short_help = true
    )]
    dry_penalty_last_n: i64,

    /// Text that ends a repetition, instead of the usual ones; may be repeated; `none` for none
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true, hide_short_help = true)]
    dry_sequence_breaker: Vec<String>,

    /// Vary the temperature by this much with the entropy
    #[arg(
        long,
        value_name = "F",
        allow_negative_numbers = true,
        default_value_t = 0.0,
        hide_short_help = true
    )]
    dynatemp_range: f32,

    /// Exponent of the entropy in that
    #[arg(
        long,
        value_name = "F",
        allow_negative_numbers = true,
        default_value_t = 1.0,
        hide_short_help = true
    )]
    dynatemp_exp: f32,

    /// Version of Mirostat to use instead of the samplers; 0: none; default: 0
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=2), hide_short_help = true)]
    mirostat: Option<u8>,

    /// Learning rate of Mirostat; default: 0.1
    #[arg(long, value_name = "F", allow_negative_numbers = true, hide_short_help = true)]
    mirostat_lr: Option<f32>,

    /// Surprise that Mirostat aims at, in bits; default: 5
    #[arg(long, value_name = "F", allow_negative_numbers = true, hide_short_help = true)]
    mirostat_ent: Option<f32>,

    /// Probability near which the sampler adaptive_p picks; negative: off
    #[arg(long, value_name = "F", default_value_t = -1.0, allow_negative_numbers = true, hide_short_help = true)]
    adaptive_target: f32,

    /// How much of the past adaptive_p remembers
    #[arg(
        long,
        value_name = "F",
        allow_negative_numbers = true,
        default_value_t = 0.9,
        hide_short_help = true
    )]
    adaptive_decay: f32,
}

impl SamplingArgs {
    /// The settings: what the flags say, and `model` where they say nothing. Those that need a vocabulary (what ends a
    /// repetition) come from [`Self::breakers`].
    ///
    /// # Errors
    /// If a text is not what it should be, or a number out of range.
    pub(crate) fn params(&self, model: &Params) -> Result<Params> {
        let order = match (&self.samplers, &self.sampler_seq) {
            (Some(names), _) => Kind::parse_names(names).context("--samplers")?,
            (None, Some(letters)) => Kind::parse_letters(letters).context("--sampler-seq")?,
            (None, None) => model.order.clone(),
        };
        let params = Params {
            seed: self.seed()?,
            order,
            min_keep: 0,
            top_k: self.top_k.unwrap_or(model.top_k),
            top_p: self.top_p.unwrap_or(model.top_p),
            min_p: self.min_p.unwrap_or(model.min_p),
            typical_p: self.typical_p,
            top_n_sigma: self.top_n_sigma,
            xtc_probability: self.xtc_probability.unwrap_or(model.xtc_probability),
            xtc_threshold: self.xtc_threshold.unwrap_or(model.xtc_threshold),
            temperature: self.temp.unwrap_or(model.temperature),
            dynatemp_range: self.dynatemp_range,
            dynatemp_exponent: self.dynatemp_exp,
            penalty_last_n: self.repeat_last_n.map_or(model.penalty_last_n, last_n),
            penalty_repeat: self.repeat_penalty.unwrap_or(model.penalty_repeat),
            penalty_frequency: self.frequency_penalty,
            penalty_presence: self.presence_penalty,
            dry_multiplier: self.dry_multiplier,
            dry_base: self.dry_base,
            dry_allowed_length: self.dry_allowed_length,
            dry_last_n: last_n(self.dry_penalty_last_n),
            dry_breakers: Vec::new(),
            adaptive_target: self.adaptive_target,
            adaptive_decay: self.adaptive_decay,
            mirostat: self.mirostat.map_or(model.mirostat, |version| MIROSTATS[usize::from(version)]),
            mirostat_tau: self.mirostat_ent.unwrap_or(model.mirostat_tau),
            mirostat_eta: self.mirostat_lr.unwrap_or(model.mirostat_eta),
            logit_bias: self.logit_bias.iter().map(|text| bias(text)).collect::<Result<_>>()?,
            ignore_eos: self.ignore_eos,
        };
        params.validate()?;
        Ok(params)
    }

    /// The texts that end a repetition; none unless DRY is on.
    pub(crate) fn breakers(&self) -> Vec<&str> {
        if self.dry_multiplier == 0.0 {
            return Vec::new();
        }
        match self.dry_sequence_breaker.as_slice() {
            [] => sampling::DEFAULT_BREAKERS.to_vec(),
            given => given.iter().map(String::as_str).filter(|text| *text != "none").collect(),
        }
    }

    /// llama.cpp's 4294967295 and -1 stand for no seed.
    fn seed(&self) -> Result<Option<u32>> {
        match self.seed {
            None | Some(-1 | 0xFFFF_FFFF) => Ok(None),
            Some(seed) => match u32::try_from(seed) {
                Ok(seed) => Ok(Some(seed)),
                Err(_) => bail!("--seed {seed}: give a number from 0 to 4294967294, or -1 for a random one"),
            },
        }
    }
}

/// `15043+1`, `15043-inf`.
fn bias(text: &str) -> Result<(TokenId, f32)> {
    let parse = || {
        let sign = text.find(['+', '-'])?;
        let (id, bias) = text.split_at(sign);
        Some((id.trim().parse().ok()?, bias.trim().parse().ok()?))
    };
    parse()
        .with_context(|| format!("--logit-bias {text}: give a token id and a bias, as 15043+1 or 15043-inf"))
}
