//! `mirostat`, version 1: keeps the surprise of the text near a target, with a k estimated from a Zipf law (Basu
//! et al., arXiv 2007.14966). Selects the token.

use crate::{Candidates, Draws, Sampler};

/// Tokens from which the exponent is estimated.
const N_ESTIMATE: usize = 100;

/// Selects with a running limit on the surprise.
#[derive(Debug, Clone)]
pub struct MirostatV1 {
    n_tokens: usize,
    tau: f32,
    eta: f32,
    /// Limit of the surprise, in bits.
    mu: f32,
    draws: Draws,
}

impl MirostatV1 {
    /// Target surprise `tau` in bits, learning rate `eta`, for a vocabulary of `n_tokens`.
    pub fn new(n_tokens: usize, seed: Option<u32>, tau: f32, eta: f32) -> Self {
        Self { n_tokens, tau, eta, mu: 2.0 * tau, draws: Draws::new(seed) }
    }

    /// Number of tokens whose expected surprise is the limit.
    fn top_k(&self, exponent: f32) -> usize {
        let epsilon = exponent - 1.0;
        let base = (epsilon * self.mu.exp2()) / (1.0 - (self.n_tokens as f32).powf(-epsilon));
        // The conversion takes NaN to 0 and bounds what overflows.
        (base.powf(exponent.recip()) as usize).max(1)
    }
}

impl Sampler for MirostatV1 {
    fn name(&self) -> &'static str {
        "mirostat"
    }

    fn apply(&mut self, candidates: &mut Candidates) {
        let k = self.top_k(zipf_exponent(candidates.top_logits(N_ESTIMATE)));
        candidates.keep_top(k);
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

/// Least-squares exponent of p_i ~ i^-s; the ratio of neighbouring probabilities needs no softmax.
fn zipf_exponent(mut descending: impl Iterator<Item = f32>) -> f32 {
    let (mut sum_tb, mut sum_tt) = (0.0, 0.0);
    let Some(mut last) = descending.next() else { return f32::NAN };
    for (i, logit) in descending.take_while(|logit| logit.is_finite()).enumerate() {
        let t = ((i + 2) as f32 / (i + 1) as f32).ln();
        sum_tb += t * (last - logit);
        sum_tt += t * t;
        last = logit;
    }
    sum_tb / sum_tt
}

/// Draws by probability, selects, and returns the surprise of what was drawn, in bits.
pub(super) fn draw_surprise(candidates: &mut Candidates, draws: &mut Draws) -> f32 {
    let index = draws.rng.next_index(candidates.softmax());
    let surprise = -candidates.probabilities()[index].log2();
    candidates.select(index);
    surprise
}
