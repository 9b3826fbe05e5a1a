//! `dist`: draws a token in proportion to its probability. The usual end of a chain.

use crate::{Candidates, Draws, Sampler};

/// Selects by inverting the cumulative distribution in the candidates' order.
#[derive(Debug, Clone)]
pub struct Dist {
    draws: Draws,
}

impl Dist {
    /// Draws from this seed, or from a fresh one.
    pub fn new(seed: Option<u32>) -> Self {
        Self { draws: Draws::new(seed) }
    }
}

impl Sampler for Dist {
    fn name(&self) -> &'static str {
        "dist"
    }

    fn apply(&mut self, candidates: &mut Candidates) {
        // One draw a token, even where there is no choice, keeps runs of one seed in step.
        let unit = self.draws.rng.next_f64();
        candidates.draw(unit);
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
