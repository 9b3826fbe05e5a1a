//! The best few of many: partial selection over packed keys, without sorting what is dropped.

use crate::scan::{self, BLOCK};
use crate::{Error, TokenId};

/// Scratch space of selections. The result lies in `keys`.
#[derive(Debug, Clone, Default)]
pub(super) struct Selector {
    /// Ascending keys are descending logits, and ascending ids among equals.
    keys: Vec<u64>,
    /// The largest logit of each block; empty when logits changed since they were found.
    maxima: Vec<f32>,
    ranked_maxima: Vec<f32>,
}

impl Selector {
    /// Copies a row of logits, and sees the blocks of it.
    pub(super) fn load(&mut self, from: &[f32], to: &mut Vec<f32>) -> Result<(), Error> {
        self.maxima.clear();
        scan::copy(from, to, &mut self.maxima)
    }

    /// To be called when one logit changed, and was `before`.
    pub(super) fn update(&mut self, logits: &[f32], at: usize, before: f32) {
        let Some(max) = self.maxima.get_mut(at / BLOCK) else { return };
        if logits[at] >= *max {
            *max = logits[at];
        } else if before == *max {
            *max = logits.chunks(BLOCK).nth(at / BLOCK).map_or(f32::NEG_INFINITY, scan::max);
        }
    }

    /// Index of the largest logit, the first of equals; `None` when every logit is -infinity.
    pub(super) fn argmax(&self, logits: &[f32]) -> Option<usize> {
        if self.maxima.is_empty() {
            return scan::argmax(logits);
        }
        let start = scan::argmax(&self.maxima)? * BLOCK;
        scan::argmax(&logits[start..logits.len().min(start + BLOCK)]).map(|at| start + at)
    }

    /// To be called when logits change.
    pub(super) fn forget(&mut self) {
        self.maxima.clear();
    }

    /// Stages the `n` largest logits in descending order.
    pub(super) fn top(&mut self, ids: &[TokenId], logits: &[f32], n: usize) {
        let floor = self.floor_of_top(logits, n);
        self.collect(ids, logits, floor);
        if n < self.keys.len() && n > 0 {
            self.keys.select_nth_unstable(n - 1);
        }
        self.keys.truncate(n);
        self.keys.sort_unstable();
    }

    /// Stages descending logits up to the first that is `enough`, and returns how many. Only logits of at least
    /// `floor` are looked at, unless they are fewer than `n_min`.
    pub(super) fn top_until(
        &mut self,
        ids: &[TokenId],
        logits: &[f32],
        n_min: usize,
        floor: f32,
        mut enough: impl FnMut(f32) -> bool,
    ) -> usize {
        self.collect(ids, logits, floor);
        if self.keys.len() < n_min.min(logits.len()) {
            self.collect(ids, logits, f32::NEG_INFINITY);
        }
        let n = self.keys.len();
        sort_until(&mut self.keys, |key| enough(unpack(key).1)).map_or(n, |last| last + 1)
    }

    /// Stages these pairs in the order given.
    pub(super) fn stage(&mut self, pairs: impl Iterator<Item = (TokenId, f32)>) {
        self.keys.clear();
        self.keys.extend(pairs.map(|(id, logit)| pack(id, logit)));
    }

    /// The first `n` staged pairs.
    pub(super) fn staged(&self, n: usize) -> impl Iterator<Item = (TokenId, f32)> {
        self.keys[..n].iter().map(|&key| unpack(key))
    }

    /// A value that at least `n` logits reach: the `n`-th largest of the maxima of blocks.
    fn floor_of_top(&mut self, logits: &[f32], n: usize) -> f32 {
        if n == 0 || n > logits.len() / BLOCK {
            return f32::NEG_INFINITY;
        }
        self.find_maxima(logits);
        self.ranked_maxima.clone_from(&self.maxima);
        let (_, nth, _) = self.ranked_maxima.select_nth_unstable_by(n - 1, |a, b| b.total_cmp(a));
        *nth
    }

    fn find_maxima(&mut self, logits: &[f32]) {
        if self.maxima.is_empty() {
            self.maxima.extend(logits.chunks(BLOCK).map(scan::max));
        }
    }

    /// Fills `keys` with the candidates whose logits are at least `floor`.
    fn collect(&mut self, ids: &[TokenId], logits: &[f32], floor: f32) {
        self.keys.clear();
        self.find_maxima(logits);
        for ((ids, logits), &max) in ids.chunks(BLOCK).zip(logits.chunks(BLOCK)).zip(&self.maxima) {
            if max < floor {
                continue;
            }
            let pairs = ids.iter().zip(logits).filter(|&(_, &logit)| logit >= floor);
            self.keys.extend(pairs.map(|(&id, &logit)| pack(id, logit)));
        }
    }
}

/// Sorts from the least key on, until one is `enough`; returns the index of that one. What comes after it is in
/// no particular order.
pub(crate) fn sort_until(keys: &mut [u64], mut enough: impl FnMut(u64) -> bool) -> Option<usize> {
    let (mut n_sorted, mut step) = (0, 256);
    while n_sorted < keys.len() {
        let rest = &mut keys[n_sorted..];
        if step < rest.len() {
            rest.select_nth_unstable(step);
        }
        let n_step = step.min(rest.len());
        let sorted = &mut rest[..n_step];
        sorted.sort_unstable();
        if let Some(last) = sorted.iter().position(|&key| enough(key)) {
            return Some(n_sorted + last);
        }
        n_sorted += n_step;
        step *= 4;
    }
    None
}

/// Orders like (descending logit, ascending id). -0 becomes +0, which compares equal to it.
fn pack(id: TokenId, logit: f32) -> u64 {
    let bits = (logit + 0.0).to_bits();
    let flip = ((bits.cast_signed() >> 31).cast_unsigned()) | 0x8000_0000;
    u64::from(!(bits ^ flip)) << 32 | u64::from(id)
}

fn unpack(key: u64) -> (TokenId, f32) {
    let ascending = !((key >> 32) as u32);
    let flip = if ascending >> 31 == 1 { 0x8000_0000 } else { u32::MAX };
    (key as u32, f32::from_bits(ascending ^ flip))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_order_and_round_trip() {
        let descending = [f32::MAX, 3.5, 1e-40, 0.0, -1e-40, -2.0, f32::MIN, f32::NEG_INFINITY];
        let keys: Vec<u64> = descending.iter().map(|&logit| pack(7, logit)).collect();
        assert!(keys.is_sorted());
        assert!(keys.iter().zip(descending).all(|(&key, logit)| unpack(key) == (7, logit)));
        assert!(pack(1, 0.0) < pack(2, -0.0) && pack(1, -0.0) < pack(2, 0.0));
    }
}
