//! `top_n_sigma`: rules out logits more than n standard deviations below the best (Tang et al., arXiv
//! 2411.07641).

use super::{Effect, Entry};
use crate::{Candidates, Sampler};

pub(super) const ENTRY: Entry = Entry {
    name: "top_n_sigma",
    letter: 's',
    aliases: &[],
    effect: Effect::KeepsBest,
    build: |params, _| Ok(TopNSigma::new(params.top_n_sigma).map(|sampler| Box::new(sampler) as _)),
};

/// Sets improbable logits to -infinity; their number stays.
#[derive(Debug, Clone)]
pub struct TopNSigma {
    n: f32,
}

impl TopNSigma {
    /// `None` for 0 and less, which keep all.
    pub fn new(n: f32) -> Option<Self> {
        (n > 0.0).then_some(Self { n })
    }
}

impl Sampler for TopNSigma {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn apply(&mut self, candidates: &mut Candidates) {
        if candidates.len() < 2 {
            return;
        }
        let possible = || candidates.logits().iter().filter(|logit| logit.is_finite()).map(|&l| f64::from(l));
        let count = possible().count() as f64;
        let mean = possible().sum::<f64>() / count;
        let variance = possible().map(|logit| (logit - mean).powi(2)).sum::<f64>() / count;
        let least = candidates.max_logit() - self.n * variance.sqrt() as f32;
        candidates.map_logits_monotone(|logit| if logit < least { f32::NEG_INFINITY } else { logit });
    }

    fn boxed_clone(&self) -> Box<dyn Sampler> {
        Box::new(self.clone())
    }
}
