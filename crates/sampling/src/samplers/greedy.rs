//! `greedy`: the most likely token, the first of equals.

use crate::{Candidates, Sampler};

/// Selects the largest logit.
#[derive(Debug, Clone, Default)]
pub struct Greedy;

impl Sampler for Greedy {
    fn name(&self) -> &'static str {
        "greedy"
    }

    fn apply(&mut self, candidates: &mut Candidates) {
        let Some(best) = candidates.argmax() else { return };
        let (id, logit) = (candidates.ids()[best], candidates.logits()[best]);
        candidates.load_single(id, logit);
    }

    fn boxed_clone(&self) -> Box<dyn Sampler> {
        Box::new(self.clone())
    }
}
