//! `penalties`: makes tokens less likely that occurred among the last ones. Repetition penalty of Keskar et al.
//! (CTRL, arXiv 1909.05858), turned around for negative logits; frequency and presence as in OpenAI's API.

use super::{Effect, Entry};
use crate::{Candidates, Sampler, TokenId};
use std::collections::VecDeque;

pub(super) const ENTRY: Entry = Entry {
    name: "penalties",
    letter: 'e',
    aliases: &[],
    effect: Effect::Reweighs,
    build: |params, _| {
        let penalties = Penalties::new(
            params.penalty_last_n,
            params.penalty_repeat,
            params.penalty_frequency,
            params.penalty_presence,
        );
        Ok(if penalties.has_effect() { Some(Box::new(penalties)) } else { None })
    },
};

/// Counts the last accepted tokens and penalizes them.
#[derive(Debug, Clone)]
pub struct Penalties {
    last_n: usize,
    repeat: f32,
    frequency: f32,
    presence: f32,
    history: VecDeque<TokenId>,
    /// Sorted by token; no count is zero.
    counts: Vec<(TokenId, u32)>,
}

impl Penalties {
    /// Looks at the last `last_n` accepted tokens.
    pub fn new(last_n: usize, repeat: f32, frequency: f32, presence: f32) -> Self {
        Self { last_n, repeat, frequency, presence, history: VecDeque::new(), counts: Vec::new() }
    }

    fn has_effect(&self) -> bool {
        self.last_n > 0 && (self.repeat != 1.0 || self.frequency != 0.0 || self.presence != 0.0)
    }

    fn find(&self, token: TokenId) -> Result<usize, usize> {
        self.counts.binary_search_by_key(&token, |&(counted, _)| counted)
    }

    fn count(&mut self, token: TokenId) {
        match self.find(token) {
            Ok(at) => self.counts[at].1 += 1,
            Err(at) => self.counts.insert(at, (token, 1)),
        }
    }

    fn uncount(&mut self, token: TokenId) {
        let at = self.find(token).expect("every token of the history is counted");
        self.counts[at].1 -= 1;
        if self.counts[at].1 == 0 {
            self.counts.remove(at);
        }
    }
}

impl Sampler for Penalties {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn apply(&mut self, candidates: &mut Candidates) {
        let &mut Self { repeat, frequency, presence, .. } = self;
        candidates.adjust(&self.counts, |&count, logit| {
            // Dividing a negative logit would make the token likelier.
            let scaled = if logit <= 0.0 { logit * repeat } else { logit / repeat };
            penalized(logit, scaled - (count as f32 * frequency + presence))
        });
    }

    fn accept(&mut self, token: TokenId) {
        if self.last_n == 0 {
            return;
        }
        if self.history.len() == self.last_n
            && let Some(oldest) = self.history.pop_front()
        {
            self.uncount(oldest);
        }
        self.history.push_back(token);
        self.count(token);
    }

    fn reset(&mut self) {
        self.history.clear();
        self.counts.clear();
    }

    fn boxed_clone(&self) -> Box<dyn Sampler> {
        Box::new(self.clone())
    }
}

/// What a penalty made of a logit: at worst the least finite value, for a penalty does not rule out.
pub(super) fn penalized(before: f32, after: f32) -> f32 {
    if before == f32::NEG_INFINITY { before } else { after.max(f32::MIN) }
}
