//! `typ_p`, locally typical sampling: keeps the tokens whose surprise is nearest to the expected one (Meister et
//! al., arXiv 2202.00666).

use super::{Effect, Entry};
use crate::candidates::sort_until;
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
    /// Distance from the expected surprise in the upper half, index in the lower.
    keys: Vec<u64>,
}

impl Typical {
    /// `None` for 1 and more, which keep all.
    pub fn new(p: f32, min_keep: usize) -> Option<Self> {
        (p < 1.0).then(|| Self { p, min_keep: min_keep.max(1), keys: Vec::new() })
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
        let distance = |p: f32| (-p.ln() - entropy as f32).abs();
        // Bits of floats that are not negative are ordered as the floats.
        let key = |(i, &p): (usize, &f32)| u64::from(distance(p).to_bits()) << 32 | i as u64;
        self.keys.clear();
        self.keys.extend(probabilities.iter().enumerate().map(key));

        let (mut cumulative, mut n) = (0.0, 0);
        sort_until(&mut self.keys, |key| {
            cumulative += probabilities[key as u32 as usize];
            n += 1;
            cumulative > self.p && n >= self.min_keep
        });
        candidates.reorder(self.keys[..n].iter().map(|&key| key as u32 as usize));
    }

    fn boxed_clone(&self) -> Box<dyn Sampler> {
        Box::new(self.clone())
    }
}
