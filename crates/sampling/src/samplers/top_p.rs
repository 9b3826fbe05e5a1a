//! `top_p`: keeps the most likely tokens up to a total probability, the nucleus (Holtzman et al., arXiv
//! 1904.09751).

use super::{Effect, Entry};
use crate::{Candidates, Sampler};

pub(super) const ENTRY: Entry = Entry {
    name: "top_p",
    letter: 'p',
    aliases: &["nucleus"],
    effect: Effect::KeepsBest,
    build: |params, _| Ok(TopP::new(params.top_p, params.min_keep).map(|sampler| Box::new(sampler) as _)),
};

/// Keeps the nucleus, sorted.
#[derive(Debug, Clone)]
pub struct TopP {
    p: f32,
    min_keep: usize,
}

impl TopP {
    /// `None` for 1 and more, which keep all.
    pub fn new(p: f32, min_keep: usize) -> Option<Self> {
        (p < 1.0).then_some(Self { p, min_keep })
    }
}

impl Sampler for TopP {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn apply(&mut self, candidates: &mut Candidates) {
        let distribution = candidates.distribution();
        // All tokens below (1-p)/n together weigh less than 1-p, so the nucleus is complete without them; half
        // of that is safe from rounding.
        let least = f64::from(1.0 - self.p.max(0.0)) / candidates.len() as f64 / 2.0;
        let floor = distribution.max + (least * distribution.sum).ln() as f32;
        let (mut cumulative, mut n) = (0.0, 0);
        candidates.keep_top_until(self.min_keep, floor, |logit| {
            cumulative += distribution.probability(logit);
            n += 1;
            cumulative >= self.p && n >= self.min_keep
        });
    }

    fn boxed_clone(&self) -> Box<dyn Sampler> {
        Box::new(self.clone())
    }
}
