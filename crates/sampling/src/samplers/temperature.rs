//! `temperature`: divides the logits, by a constant or by one that follows the entropy (dynamic temperature).

use super::{Effect, Entry};
use crate::{Candidates, Sampler};

pub(super) const ENTRY: Entry = Entry {
    name: "temperature",
    letter: 't',
    aliases: &["temp"],
    effect: Effect::KeepsBest,
    build: |params, _| {
        let sampler =
            Temperature::new(params.temperature, params.dynatemp_range, params.dynatemp_exponent);
        Ok(sampler.map(|sampler| Box::new(sampler) as _))
    },
};

/// Divides the logits. At 0 and below only the best token stays.
#[derive(Debug, Clone)]
pub struct Temperature {
    temperature: f32,
    range: f32,
    exponent: f32,
}

impl Temperature {
    /// Between `temperature - range` and `temperature + range`; `None` for a fixed 1, which changes nothing.
    pub fn new(temperature: f32, range: f32, exponent: f32) -> Option<Self> {
        let has_effect = temperature != 1.0 || range > 0.0;
        has_effect.then_some(Self { temperature, range, exponent })
    }

    /// The lowest temperature for a certain choice, the highest for a uniform one.
    fn dynamic(&self, candidates: &Candidates) -> f32 {
        let distribution = candidates.distribution();
        let probabilities = candidates.logits().iter().map(|&logit| distribution.probability(logit));
        let entropy: f32 = probabilities.filter(|&p| p > 0.0).map(|p| -p * p.ln()).sum();
        let relative = entropy / (candidates.len() as f32).ln();
        let low = (self.temperature - self.range).max(0.0);
        let high = self.temperature + self.range;
        low + (high - low) * relative.powf(self.exponent)
    }
}

impl Sampler for Temperature {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn apply(&mut self, candidates: &mut Candidates) {
        let mut temperature = self.temperature;
        if self.range > 0.0 {
            if candidates.len() < 2 {
                return;
            }
            candidates.sort();
            temperature = self.dynamic(candidates);
        }
        // A quotient out of range would make a tie of all large logits; its limit is the best token.
        let is_greedy = temperature.is_nan()
            || temperature <= 0.0
            || !(candidates.max_logit() / temperature).is_finite();
        match candidates.argmax() {
            Some(best) if is_greedy => candidates.keep_only(best),
            Some(_) => candidates.map_logits_monotone(|logit| logit / temperature),
            None => {}
        }
    }

    fn boxed_clone(&self) -> Box<dyn Sampler> {
        Box::new(self.clone())
    }
}
