//! `top_k`: keeps the k most likely tokens (Fan et al., arXiv 1805.04833).

use super::{Effect, Entry};
use crate::{Candidates, Sampler};

pub(super) const ENTRY: Entry = Entry {
    name: "top_k",
    letter: 'k',
    aliases: &[],
    effect: Effect::KeepsBest,
    build: |params, _| Ok(TopK::new(params.top_k).map(|sampler| Box::new(sampler) as _)),
};

/// Keeps the best k, sorted.
#[derive(Debug, Clone)]
pub struct TopK {
    k: usize,
}

impl TopK {
    /// `None` for 0 and less, which keep all.
    pub fn new(k: i32) -> Option<Self> {
        usize::try_from(k).ok().filter(|&k| k > 0).map(|k| Self { k })
    }
}

impl Sampler for TopK {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn apply(&mut self, candidates: &mut Candidates) {
        candidates.keep_top(self.k);
    }

    fn boxed_clone(&self) -> Box<dyn Sampler> {
        Box::new(self.clone())
    }
}
