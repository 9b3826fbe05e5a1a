//! Every setting of the chain, with llama.cpp's defaults. Plain data: no parsing of flags or requests.

use crate::{Error, Kind, TokenId};

/// Which sampler with a target surprise replaces the chain (Basu et al., arXiv 2007.14966).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mirostat {
    /// The configured order of samplers is used.
    #[default]
    Off,
    /// Version 1: estimates the distribution's exponent and keeps the best k.
    V1,
    /// Version 2: drops what surprises more than the running limit.
    V2,
}

/// Settings of a [`crate::Chain`].
#[derive(Debug, Clone, PartialEq)]
pub struct Params {
    /// Seed of all draws; `None` takes a fresh one. llama.cpp's "random" seed 4294967295 is `None` here.
    pub seed: Option<u32>,
    /// Samplers in the order they are applied.
    pub order: Vec<Kind>,
    /// Least number of candidates that truncating samplers leave; 0 has no effect.
    pub min_keep: usize,
    /// Keeps the best k; 0 or less keeps all.
    pub top_k: i32,
    /// Keeps the most likely tokens up to this total probability; 1 or more keeps all.
    pub top_p: f32,
    /// Drops tokens less likely than this times the most likely one; 0 or less keeps all.
    pub min_p: f32,
    /// Keeps the tokens of typical surprise up to this total probability; 1 or more keeps all.
    pub typical_p: f32,
    /// Rules out logits more than this many standard deviations below the best; 0 or less keeps all.
    pub top_n_sigma: f32,
    /// Chance that the likeliest tokens are removed; 0 or less switches it off.
    pub xtc_probability: f32,
    /// Probability from which a token counts as likely; above 0.5 switches it off.
    pub xtc_threshold: f32,
    /// Divides the logits; 0 or less takes the best token.
    pub temperature: f32,
    /// The temperature varies by this much up and down with the entropy; 0 or less keeps it fixed.
    pub dynatemp_range: f32,
    /// Exponent of the relative entropy in that.
    pub dynatemp_exponent: f32,
    /// Number of last tokens that penalties look at; 0 switches them off.
    pub penalty_last_n: usize,
    /// Divides positive and multiplies negative logits of tokens seen; 1 has no effect.
    pub penalty_repeat: f32,
    /// Subtracted for each time a token was seen.
    pub penalty_frequency: f32,
    /// Subtracted once from tokens seen.
    pub penalty_presence: f32,
    /// Strength of DRY; 0 switches it off.
    pub dry_multiplier: f32,
    /// Base of the exponential penalty; below 1 switches DRY off.
    pub dry_base: f32,
    /// Length of repetition that goes unpunished.
    pub dry_allowed_length: usize,
    /// Number of last tokens in which DRY looks for repetitions; 0 switches it off.
    pub dry_last_n: usize,
    /// Token sequences that end a repetition. Texts become tokens by [`crate::expand_breakers`], the customary
    /// ones being [`crate::DEFAULT_BREAKERS`].
    pub dry_breakers: Vec<Vec<TokenId>>,
    /// Probability near which tokens are picked by `adaptive_p`; negative draws plainly.
    pub adaptive_target: f32,
    /// How much of the past `adaptive_p` remembers; clamped to 0..=0.99.
    pub adaptive_decay: f32,
    /// Replaces the order of samplers by temperature and Mirostat.
    pub mirostat: Mirostat,
    /// Target surprise in bits.
    pub mirostat_tau: f32,
    /// Learning rate.
    pub mirostat_eta: f32,
    /// Added to the logits of these tokens; -infinity forbids one.
    pub logit_bias: Vec<(TokenId, f32)>,
    /// Forbids all tokens that end a generation.
    pub ignore_eos: bool,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            seed: None,
            order: Kind::DEFAULT_ORDER.to_vec(),
            min_keep: 0,
            top_k: 40,
            top_p: 0.95,
            min_p: 0.05,
            typical_p: 1.0,
            top_n_sigma: -1.0,
            xtc_probability: 0.0,
            xtc_threshold: 0.1,
            temperature: 0.8,
            dynatemp_range: 0.0,
            dynatemp_exponent: 1.0,
            penalty_last_n: 64,
            penalty_repeat: 1.0,
            penalty_frequency: 0.0,
            penalty_presence: 0.0,
            dry_multiplier: 0.0,
            dry_base: 1.75,
            dry_allowed_length: 2,
            dry_last_n: 64,
            dry_breakers: Vec::new(),
            adaptive_target: -1.0,
            adaptive_decay: 0.9,
            mirostat: Mirostat::Off,
            mirostat_tau: 5.0,
            mirostat_eta: 0.1,
            logit_bias: Vec::new(),
            ignore_eos: false,
        }
    }
}

impl Params {
    /// Settings that always take the most likely token.
    pub fn greedy() -> Self {
        Self { temperature: 0.0, ..Self::default() }
    }

    /// Checks every number.
    ///
    /// # Errors
    /// [`Error::InvalidParam`] for NaN and infinities, for a repetition penalty that cannot be multiplied or
    /// divided by, and for a bias of NaN or +infinity.
    pub fn validate(&self) -> Result<(), Error> {
        let finite = [
            ("top_p", self.top_p),
            ("min_p", self.min_p),
            ("typical_p", self.typical_p),
            ("top_n_sigma", self.top_n_sigma),
            ("xtc_probability", self.xtc_probability),
            ("xtc_threshold", self.xtc_threshold),
            ("temperature", self.temperature),
            ("dynatemp_range", self.dynatemp_range),
            ("dynatemp_exponent", self.dynatemp_exponent),
            ("penalty_repeat", self.penalty_repeat),
            ("penalty_frequency", self.penalty_frequency),
            ("penalty_presence", self.penalty_presence),
            ("dry_multiplier", self.dry_multiplier),
            ("dry_base", self.dry_base),
            ("adaptive_target", self.adaptive_target),
            ("adaptive_decay", self.adaptive_decay),
            ("mirostat_tau", self.mirostat_tau),
            ("mirostat_eta", self.mirostat_eta),
        ];
        for (name, value) in finite {
            require(value.is_finite(), name, value, "a finite number")?;
        }
        let repeat = self.penalty_repeat;
        let usable = repeat > 0.0 && repeat.recip().is_finite();
        require(usable, "penalty_repeat", repeat, "above 0 and large enough to divide by")?;
        for &(_, bias) in &self.logit_bias {
            require(bias < f32::INFINITY, "logit_bias", bias, "a finite number or -infinity")?;
        }
        Ok(())
    }
}

fn require(holds: bool, name: &'static str, value: f32, expected: &'static str) -> Result<(), Error> {
    if holds { Ok(()) } else { Err(Error::InvalidParam { name, value: value.into(), expected }) }
}
