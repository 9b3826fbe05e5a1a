//! `dry`, "don't repeat yourself": an exponential penalty on the token that would continue a sequence seen before
//! (Weidmann, text-generation-webui pull request 5677). It works on tokens; [`expand_breakers`] turns texts that
//! end a repetition into tokens.

use super::penalties::penalized;
use super::{Effect, Entry};
use crate::{Candidates, Sampler, TokenId};
use std::collections::VecDeque;

pub(super) const ENTRY: Entry = Entry {
    name: "dry",
    letter: 'd',
    aliases: &[],
    effect: Effect::Reweighs,
    build: |params, _| {
        let dry = Dry::new(
            params.dry_multiplier,
            params.dry_base,
            params.dry_allowed_length,
            params.dry_last_n,
            params.dry_breakers.clone(),
        );
        Ok(dry.map(|sampler| Box::new(sampler) as _))
    },
};

/// The customary texts that end a repetition.
pub const DEFAULT_BREAKERS: [&str; 4] = ["\n", ":", "\"", "*"];

/// Natural logarithm of the largest f32: the largest exponent that does not overflow, in units of ln(base).
const MAX_EXPONENT: f32 = 88.722_84;
/// Bases nearer to one than this cannot overflow.
const LEAST_GROWING_BASE: f32 = 1.000_001;
/// Bytes of a breaker's text that count.
const MAX_BREAKER_BYTES: usize = 40;
/// Tokens of a breaker that count, after the first.
const MAX_BREAKER_TAIL: usize = 20;

/// Penalizes tokens that continue a repetition.
#[derive(Debug, Clone)]
pub struct Dry {
    multiplier: f32,
    base: f32,
    allowed_length: usize,
    last_n: usize,
    /// Sorted, none empty.
    breakers: Vec<Vec<TokenId>>,
    history: VecDeque<TokenId>,
    /// The history, the newest token first.
    recent: Vec<TokenId>,
    /// For each position in `recent`: how many tokens from there on equal the newest ones.
    matched: Vec<usize>,
    /// For each token, sorted: the longest repetition that it would continue.
    repeats: Vec<(TokenId, usize)>,
}

impl Dry {
    /// `None` when the settings have no effect: a multiplier or `last_n` of 0, or a base below 1.
    pub fn new(
        multiplier: f32,
        base: f32,
        allowed_length: usize,
        last_n: usize,
        mut breakers: Vec<Vec<TokenId>>,
    ) -> Option<Self> {
        if multiplier == 0.0 || base < 1.0 || last_n == 0 {
            return None;
        }
        breakers.retain(|breaker| !breaker.is_empty());
        breakers.sort();
        Some(Self {
            multiplier,
            base,
            allowed_length,
            last_n,
            breakers,
            history: VecDeque::new(),
            recent: Vec::new(),
            matched: Vec::new(),
            repeats: Vec::new(),
        })
    }

    /// Breakers that begin with `head`.
    fn breakers_from(&self, head: TokenId) -> &[Vec<TokenId>] {
        let start = self.breakers.partition_point(|breaker| breaker[0] < head);
        let n = self.breakers[start..].partition_point(|breaker| breaker[0] == head);
        &self.breakers[start..start + n]
    }

    /// Number of newest tokens after the last breaker: no repetition reaches further back.
    fn limit(&self) -> usize {
        for (age, &head) in self.recent.iter().enumerate() {
            let follows = |breaker: &&Vec<TokenId>| {
                let tail = &breaker[1..];
                tail.len() <= age && tail.iter().eq(self.recent[age - tail.len()..age].iter().rev())
            };
            let longest = self.breakers_from(head).iter().filter(follows).map(Vec::len).max();
            if let Some(length) = longest {
                return age + 1 - length;
            }
        }
        self.recent.len()
    }

    /// Fills `repeats`.
    fn find_repeats(&mut self, limit: usize) {
        self.repeats.clear();
        match_prefix(&self.recent, &mut self.matched);
        for (age, &length) in self.matched.iter().enumerate().skip(1) {
            let length = length.min(limit);
            if length >= self.allowed_length {
                self.repeats.push((self.recent[age - 1], length));
            }
        }
        self.repeats.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)));
        self.repeats.dedup_by_key(|&mut (token, _)| token);
        let mut repeats = std::mem::take(&mut self.repeats);
        repeats.retain(|&(token, _)| !self.breakers_from(token).iter().any(|breaker| breaker.len() == 1));
        self.repeats = repeats;
    }

    fn penalty(&self, length: usize) -> f32 {
        let mut exponent = length - self.allowed_length;
        if self.base > LEAST_GROWING_BASE {
            exponent = exponent.min((MAX_EXPONENT / self.base.ln()) as usize);
        }
        (f64::from(self.multiplier) * f64::from(self.base).powf(exponent as f64)) as f32
    }
}

impl Sampler for Dry {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn apply(&mut self, candidates: &mut Candidates) {
        if self.history.len() <= self.allowed_length {
            return;
        }
        self.recent.clear();
        self.recent.extend(self.history.iter().rev());
        let limit = self.limit();
        if limit < self.allowed_length {
            return;
        }
        self.find_repeats(limit);
        candidates.adjust(&self.repeats, |&length, logit| penalized(logit, logit - self.penalty(length)));
    }

    fn accept(&mut self, token: TokenId) {
        if self.history.len() == self.last_n {
            self.history.pop_front();
        }
        self.history.push_back(token);
    }

    fn reset(&mut self) {
        self.history.clear();
    }

    fn boxed_clone(&self) -> Box<dyn Sampler> {
        Box::new(self.clone())
    }
}

/// The Z function: `lengths[i]` becomes the length of the longest common prefix of `tokens` and `tokens[i..]`
/// (Gusfield, Algorithms on Strings, 1997, section 1.4). Linear in the number of tokens; `lengths[0]` is 0.
fn match_prefix(tokens: &[TokenId], lengths: &mut Vec<usize>) {
    lengths.clear();
    lengths.resize(tokens.len(), 0);
    // tokens[start..end] equals a prefix, and no known match ends later.
    let (mut start, mut end) = (0, 0);
    for i in 1..tokens.len() {
        let mut length = if i < end { lengths[i - start].min(end - i) } else { 0 };
        while i + length < tokens.len() && tokens[length] == tokens[i + length] {
            length += 1;
        }
        lengths[i] = length;
        if i + length > end {
            (start, end) = (i, i + length);
        }
    }
}

/// All token sequences by which the texts may appear: a token that contains the text, or one that ends with a
/// beginning of it, followed by the tokens of the rest.
///
/// `piece` gives the bytes of a token with special tokens' text; `tokenize` the tokens of a text, without
/// special tokens. Texts are cut to 40 bytes.
pub fn expand_breakers<B: AsRef<[u8]>>(
    texts: &[impl AsRef<[u8]>],
    n_tokens: usize,
    mut piece: impl FnMut(TokenId) -> B,
    mut tokenize: impl FnMut(&[u8]) -> Vec<TokenId>,
) -> Vec<Vec<TokenId>> {
    let cut = |text: &[u8]| text[..text.len().min(MAX_BREAKER_BYTES)].to_vec();
    let texts: Vec<Vec<u8>> = texts.iter().map(|text| cut(text.as_ref())).filter(|t| !t.is_empty()).collect();
    let mut tail = |text: &[u8]| {
        let mut tokens = tokenize(text);
        tokens.truncate(MAX_BREAKER_TAIL);
        tokens
    };
    // For each text: how many of its first bytes a token may end with, and the tokens of the rest.
    let splits: Vec<Vec<(usize, Vec<TokenId>)>> =
        texts.iter().map(|text| (1..text.len()).map(|n| (n, tail(&text[n..]))).collect()).collect();

    let mut sequences = Vec::new();
    for token in 0..n_tokens as TokenId {
        let piece = piece(token);
        let piece = piece.as_ref();
        for (text, splits) in texts.iter().zip(&splits) {
            if piece.windows(text.len()).any(|window| window == text) {
                sequences.push(vec![token]);
                continue;
            }
            let overlaps = splits.iter().filter(|(n, _)| piece.ends_with(&text[..*n]));
            sequences.extend(overlaps.map(|(_, tail)| [&[token], tail.as_slice()].concat()));
        }
    }
    sequences.sort();
    sequences.dedup();
    sequences
}
