//! `adaptive_p`: prefers tokens near a target probability and moves the target so that the average of what was
//! picked reaches it (llama.cpp pull request 17927). Selects the token.

use super::{Effect, Entry};
use crate::{Candidates, Draws, Sampler, TokenId};

pub(super) const ENTRY: Entry = Entry {
    name: "adaptive_p",
    letter: 'a',
    aliases: &[],
    effect: Effect::Selects,
    build: |params, _| {
        let sampler = AdaptiveP::new(params.adaptive_target, params.adaptive_decay, params.seed);
        Ok(Some(Box::new(sampler)))
    },
};

/// Logit of a token whose probability is the target.
const PEAK: f32 = 5.0;
/// How fast the logit falls with the distance.
const SHARPNESS: f32 = 10.0;
/// Distance in probability that counts as one.
const WIDTH: f32 = 0.3;
/// More memory than this would never settle.
const MAX_DECAY: f32 = 0.99;

/// Selects near a target probability.
#[derive(Debug, Clone)]
pub struct AdaptiveP {
    target: f32,
    decay: f32,
    /// Decaying sum of the probabilities of accepted tokens, and of ones.
    weighted_sum: f32,
    total_weight: f32,
    original: Vec<f32>,
    /// The selected token and the probability it had; counted once it is accepted.
    pending: Option<(TokenId, f32)>,
    draws: Draws,
}

impl AdaptiveP {
    /// A negative target draws plainly.
    pub fn new(target: f32, decay: f32, seed: Option<u32>) -> Self {
        let mut this = Self {
            target,
            decay: decay.clamp(0.0, MAX_DECAY),
            weighted_sum: 0.0,
            total_weight: 0.0,
            original: Vec::new(),
            pending: None,
            draws: Draws::new(seed),
        };
        this.forget();
        this
    }

    /// Starts as if every token so far had met the target.
    fn forget(&mut self) {
        self.total_weight = 1.0 / (1.0 - self.decay);
        self.weighted_sum = self.target / (1.0 - self.decay);
        self.pending = None;
    }

    fn adapted_target(&self) -> f32 {
        let target = self.target.min(1.0);
        (2.0 * target - self.weighted_sum / self.total_weight).clamp(0.0, 1.0)
    }
}

impl Sampler for AdaptiveP {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn apply(&mut self, candidates: &mut Candidates) {
        let probabilities = candidates.softmax();
        if self.target < 0.0 {
            let index = self.draws.rng.next_index(probabilities);
            return candidates.select(index);
        }
        self.original.clear();
        self.original.extend_from_slice(probabilities);
        let target = self.adapted_target();
        let mut original = self.original.iter();
        candidates.map_logits(|_, logit| match original.next() {
            Some(p) if logit > f32::NEG_INFINITY => {
                // Quadratic near the target, linear far from it.
                let distance = ((p - target) / WIDTH).abs();
                PEAK - SHARPNESS * distance * distance / (1.0 + distance)
            }
            _ => logit,
        });
        let index = self.draws.rng.next_index(candidates.softmax());
        candidates.select(index);
        self.pending = Some((candidates.ids()[index], self.original[index]));
    }

    fn accept(&mut self, token: TokenId) {
        if let Some((selected, p)) = self.pending.take()
            && selected == token
        {
            self.weighted_sum = p + self.decay * self.weighted_sum;
            self.total_weight = 1.0 + self.decay * self.total_weight;
        }
    }

    fn reset(&mut self) {
        self.forget();
        self.draws.reset();
    }

    fn draws(&self) -> Option<&Draws> {
        Some(&self.draws)
    }

    fn boxed_clone(&self) -> Box<dyn Sampler> {
        Box::new(self.clone())
    }
}
