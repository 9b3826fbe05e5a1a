//! `min_p`: drops tokens far less likely than the most likely one (Nguyen et al., arXiv 2407.01082).

use super::{Effect, Entry};
use crate::{Candidates, Sampler};

pub(super) const ENTRY: Entry = Entry {
    name: "min_p",
    letter: 'm',
    aliases: &[],
    effect: Effect::KeepsBest,
    build: |params, _| Ok(MinP::new(params.min_p, params.min_keep).map(|sampler| Box::new(sampler) as _)),
};

/// Keeps tokens of at least `p` times the best probability, in their order.
#[derive(Debug, Clone)]
pub struct MinP {
    log_p: f32,
    min_keep: usize,
}

impl MinP {
    /// `None` for 0 and less, which keep all.
    pub fn new(p: f32, min_keep: usize) -> Option<Self> {
        (p > 0.0).then(|| Self { log_p: p.ln(), min_keep: min_keep.max(1) })
    }
}

impl Sampler for MinP {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn apply(&mut self, candidates: &mut Candidates) {
        // In logits, so that nothing needs to be exponentiated.
        let least = candidates.max_logit() + self.log_p;
        let n_likely = candidates.logits().iter().filter(|&&logit| logit >= least).count();
        if n_likely >= self.min_keep {
            candidates.retain(|_, logit| logit >= least);
        } else {
            candidates.keep_top(self.min_keep);
        }
    }

    fn boxed_clone(&self) -> Box<dyn Sampler> {
        Box::new(self.clone())
    }
}
