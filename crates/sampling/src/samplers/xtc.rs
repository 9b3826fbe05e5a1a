//! `xtc`, "exclude top choices": now and then removes all likely tokens but the least likely of them, for variety
//! (Weidmann, text-generation-webui pull request 6335).

use super::{Effect, Entry};
use crate::{Candidates, Draws, Sampler};

pub(super) const ENTRY: Entry = Entry {
    name: "xtc",
    letter: 'x',
    aliases: &[],
    effect: Effect::MayDropBest,
    build: |params, _| {
        let sampler = Xtc::new(params.xtc_probability, params.xtc_threshold, params.min_keep, params.seed);
        Ok(sampler.map(|sampler| Box::new(sampler) as _))
    },
};

/// Removes the likeliest tokens by chance.
#[derive(Debug, Clone)]
pub struct Xtc {
    chance: f32,
    threshold: f32,
    min_keep: usize,
    draws: Draws,
}

impl Xtc {
    /// `None` for a chance of 0 or less, and for a threshold above one half, which two tokens cannot reach.
    pub fn new(chance: f32, threshold: f32, min_keep: usize, seed: Option<u32>) -> Option<Self> {
        let has_effect = chance > 0.0 && threshold <= 0.5;
        has_effect.then(|| Self { chance, threshold, min_keep, draws: Draws::new(seed) })
    }
}

impl Sampler for Xtc {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn apply(&mut self, candidates: &mut Candidates) {
        if candidates.len() < 2 || self.draws.rng.next_f32() > self.chance {
            return;
        }
        candidates.sort();
        let distribution = candidates.distribution();
        let is_likely = |&&logit: &&f32| distribution.probability(logit) >= self.threshold;
        let n_removed = candidates.logits().iter().take_while(is_likely).count().saturating_sub(1);
        if candidates.len() - n_removed >= self.min_keep {
            candidates.drop_first(n_removed);
        }
    }

    fn reset(&mut self) {
        self.draws.reset();
    }

    fn draws(&self) -> Option<&Draws> {
        Some(&self.draws)
    }

    fn boxed_clone(&self) -> Box<dyn Sampler> {
        Box::new(self.clone())
    }
}
