//! Choosing the blocks of tokens with the highest scores: what a score is, and the best of a stream of them.

use std::cmp::Ordering;

/// Adds one head's part of the scores: `weight * max(product, 0)`.
pub(crate) fn add_head(products: &[f32], weight: f32, scores: &mut [f32]) {
    for (score, product) in scores.iter_mut().zip(products) {
        *score += weight * product.max(0.0);
    }
}

/// A block and its score.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scored {
    pub(crate) score: f32,
    pub(crate) block: u32,
}

impl Scored {
    /// The higher score first, of two equal ones the earlier block: an order without ties, so that it does not matter in
    /// which order and in how many parts the blocks come.
    fn order(&self, other: &Self) -> Ordering {
        // Both zeros become the same one.
        (other.score + 0.0).total_cmp(&(self.score + 0.0)).then(self.block.cmp(&other.block))
    }
}

/// One choice in the making: blocks in the order of their tokens, each with the greatest score of its tokens.
#[derive(Debug, Default)]
pub(crate) struct Choosing {
    pub(crate) best: Best,
    /// The greatest score of the tokens of the block that goes on.
    greatest: f32,
}

impl Choosing {
    /// Makes room for the best `k` blocks.
    pub(crate) fn start(&mut self, k: usize) {
        self.best.start(k);
        self.greatest = f32::NEG_INFINITY;
    }

    /// Takes the scores of tokens of the block in.
    pub(crate) fn see(&mut self, scores: &[f32]) {
        self.greatest = scores.iter().copied().fold(self.greatest, f32::max);
    }

    /// The block ends.
    pub(crate) fn end(&mut self, block: u32) {
        self.best.push(Scored { score: self.greatest, block });
        self.greatest = f32::NEG_INFINITY;
    }
}

/// The best `k` so far, and up to as many that may turn out not to be.
#[derive(Debug, Default)]
pub(crate) struct Best {
    k: usize,
    found: Vec<Scored>,
    /// A score that `k` blocks have reached.
    bar: f32,
}

impl Best {
    /// Forgets what was found; makes room for the best `k`.
    pub(crate) fn start(&mut self, k: usize) {
        self.k = k;
        self.found.clear();
        self.found.reserve(2 * k);
        self.bar = f32::NEG_INFINITY;
    }

    pub(crate) fn push(&mut self, scored: Scored) {
        if scored.score < self.bar {
            return;
        }
        if self.found.len() == 2 * self.k {
            self.cut();
        }
        self.found.push(scored);
    }

    fn cut(&mut self) {
        if self.found.len() > self.k {
            let (_, least, _) = self.found.select_nth_unstable_by(self.k - 1, Scored::order);
            self.bar = least.score;
            self.found.truncate(self.k);
        }
    }

    /// The best, by block.
    pub(crate) fn finish(&mut self) -> &[Scored] {
        self.cut();
        self.found.sort_unstable_by_key(|found| found.block);
        &self.found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_are_found_in_any_order_and_the_earlier_wins() {
        let check = |scores: &[f32], k, want: &[u32]| {
            let n = scores.len();
            for step in [1, 3, n - 1] {
                let mut best = Best::default();
                best.start(k);
                for i in 0..n {
                    let block = i * step % n;
                    best.push(Scored { score: scores[block], block: block as u32 });
                }
                let found: Vec<_> = best.finish().iter().map(|found| found.block).collect();
                assert_eq!(found, want, "best {k} of {scores:?}, step {step}");
            }
        };
        check(&[1.0, 5.0, 2.0, 4.0], 2, &[1, 3]);
        check(&[1.0, 1.0, 1.0, 2.0, 1.0, 1.0, 1.0, 1.0], 3, &[0, 1, 3]);
        check(&[-0.0, 0.0, -1.0, -0.0, 0.0], 3, &[0, 1, 3]);
        check(&[3.0, 2.0], 5, &[0, 1]);
        check(&[f32::NEG_INFINITY; 5], 2, &[0, 1]);
    }
}
