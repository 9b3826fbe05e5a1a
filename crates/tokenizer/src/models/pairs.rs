//! From a pair of symbols to what they merge to.

use super::merges::Merge;
use crate::vocab::{fold, random_seed};

/// Hash table of merges: open addressing, no more than half full, seeded at random.
#[derive(Debug)]
pub(crate) struct PairTable {
    seed: u64,
    shift: u32,
    slots: Box<[Slot]>,
}

/// An empty slot has [`EMPTY`] on the left, which is no symbol.
#[derive(Clone, Copy, Debug)]
struct Slot {
    left: u32,
    right: u32,
    merge: Merge,
}

const EMPTY: u32 = u32::MAX;

impl PairTable {
    /// Room for `n` merges.
    pub(crate) fn with_capacity(n: usize) -> Self {
        let n_slots = (n * 2).next_power_of_two().max(2);
        let empty = Slot { left: EMPTY, right: EMPTY, merge: Merge { rank: 0, symbol: 0 } };
        Self {
            seed: random_seed(),
            shift: 64 - n_slots.trailing_zeros(),
            slots: vec![empty; n_slots].into_boxed_slice(),
        }
    }

    /// What `left` and `right` merge to.
    #[inline]
    pub(crate) fn find(&self, left: u32, right: u32) -> Option<Merge> {
        self.slots[self.slot_of(left, right)].merge_of(left, right)
    }

    /// Adds a merge; the first of a pair stays. At most as many as [`PairTable::with_capacity`] was told.
    pub(crate) fn insert(&mut self, left: u32, right: u32, merge: Merge) {
        let slot = &mut self.slots[self.slot_of(left, right)];
        if slot.left == EMPTY {
            *slot = Slot { left, right, merge };
        }
    }

    /// Place of the pair, or the empty place where it would be.
    #[inline]
    fn slot_of(&self, left: u32, right: u32) -> usize {
        let mask = self.slots.len() - 1;
        let hash = fold((u64::from(left) << 32 | u64::from(right)) ^ self.seed, 0x9e37_79b9_7f4a_7c15);
        let mut at = (hash >> self.shift) as usize & mask;
        while self.slots[at].left != EMPTY && (self.slots[at].left, self.slots[at].right) != (left, right) {
            at = (at + 1) & mask;
        }
        at
    }
}

impl Slot {
    #[inline]
    fn merge_of(&self, left: u32, right: u32) -> Option<Merge> {
        ((self.left, self.right) == (left, right)).then_some(self.merge)
    }
}
