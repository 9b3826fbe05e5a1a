//! `typ_p`, locally typical sampling: keeps the tokens whose surprise is nearest to the expected one (Meister et
//! al., arXiv 2202.00666).

use super::{Effect, Entry};
use crate::{Candidates, Sampler};

pub(super) const ENTRY: Entry = Entry {
    name: "typ_p",
    letter: 'y',
    aliases: &["typ"],
    effect: Effect::MayDropBest,
    build: |params, _| {
        Ok(Typical::new(params.typical_p, params.min_keep).map(|sampler| Box::new(sampler) as _))
    },
};

/// Keeps the most typical tokens, the most typical first.
#[derive(Debug, Clone)]
pub struct Typical {
    p: f32,
    min_keep: usize,
    /// Distance from the expected surprise, index, probability.
    scores: Vec<(f32, usize, f32)>,
}

impl Typical {
    /// `None` for 1 and more, which keep all.
    pub fn new(p: f32, min_keep: usize) -> Option<Self> {
        (p < 1.0).then(|| Self { p, min_keep: min_keep.max(1), scores: Vec::new() })
    }
}

impl Sampler for Typical {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn apply(&mut self, candidates: &mut Candidates) {
        let probabilities = candidates.softmax();
        let possible = probabilities.iter().filter(|&&p| p > 0.0);
        let entropy: f64 = possible.map(|&p| f64::from(-p * p.ln())).sum();
        let score = |(i, &p): (usize, &f32)| ((-p.ln() - entropy as f32).abs(), i, p);
        self.scores.clear();
        self.scores.extend(probabilities.iter().enumerate().map(score));
        self.scores.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));

        let mut cumulative = 0.0;
        let reached = |&(_, _, p): &(f32, usize, f32)| {
            cumulative += p;
            cumulative > self.p
        };
        let n = self.scores.iter().position(reached).map_or(self.scores.len(), |last| last + 1);
        let n = n.max(self.min_keep).min(self.scores.len());
        candidates.reorder(self.scores[..n].iter().map(|&(_, index, _)| index));
    }

    fn boxed_clone(&self) -> Box<dyn Sampler> {
        Box::new(self.clone())
    }
}
