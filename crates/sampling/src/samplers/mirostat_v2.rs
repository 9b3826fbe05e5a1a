//! `mirostat_v2`: keeps the surprise of the text near a target by dropping what surprises more than a running limit
//! (Basu et al., arXiv 2007.14966, algorithm 2). Selects the token.

use super::mirostat::draw_surprise;
use crate::{Candidates, Draws, Sampler};

/// Selects with a running limit on the surprise.
#[derive(Debug, Clone)]
pub struct MirostatV2 {
    tau: f32,
    eta: f32,
    /// Limit of the surprise, in bits.
    mu: f32,
    draws: Draws,
}

impl MirostatV2 {
    /// Target surprise `tau` in bits and learning rate `eta`.
    pub fn new(seed: Option<u32>, tau: f32, eta: f32) -> Self {
        Self { tau, eta, mu: 2.0 * tau, draws: Draws::new(seed) }
    }
}

impl Sampler for MirostatV2 {
    fn name(&self) -> &'static str {
        "mirostat_v2"
    }

    fn apply(&mut self, candidates: &mut Candidates) {
        let distribution = candidates.distribution();
        let mut n = 0;
        // A little below the limit, so that rounding leaves the decision to the exact test.
        let floor =
            distribution.max + (distribution.sum.ln() as f32 - self.mu * std::f32::consts::LN_2) - 1e-3;
        let mut n_kept = 0;
        candidates.keep_top_until(1, floor.min(distribution.max), |logit| {
            n += 1;
            let is_surprising = -distribution.probability(logit).log2() > self.mu;
            n_kept = if is_surprising { n - 1 } else { n };
            is_surprising
        });
        candidates.truncate(n_kept.max(1));
        self.mu -= self.eta * (draw_surprise(candidates, &mut self.draws) - self.tau);
    }

    fn reset(&mut self) {
        self.mu = 2.0 * self.tau;
        self.draws.reset();
    }

    fn draws(&self) -> Option<&Draws> {
        Some(&self.draws)
    }

    fn boxed_clone(&self) -> Box<dyn Sampler> {
        Box::new(self.clone())
    }
}
