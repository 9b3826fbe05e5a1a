//! Sets of stacks, each set once. A set is a list of tops in order, each with the set of what may lie below it: stacks
//! with a common top share all below, so that exponentially many stacks take linear space.

use std::collections::HashMap;

use foldhash::fast::FixedState;
use indexmap::IndexSet;

use super::program::StepId;

/// Index of a set of stacks.
pub(super) type SetId = u32;

/// No stack: nothing can go on.
pub(super) const NONE: SetId = 0;
/// The empty stack alone: all is read.
pub(super) const DONE: SetId = 1;

/// The top that stands for "no top": of the empty stack. After all steps in order.
pub(super) const BOTTOM: StepId = StepId::MAX;

/// A step to go on with, and what to go on with after it returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Item {
    pub(super) step: StepId,
    pub(super) below: SetId,
}

/// All sets that were met.
#[derive(Debug, Clone)]
pub(super) struct Stacks {
    sets: IndexSet<Box<[Item]>, FixedState>,
    unions: HashMap<(SetId, SetId), SetId, FixedState>,
    n_items: usize,
    /// Items that were looked at.
    pub(super) work: usize,
}

impl Stacks {
    pub(super) fn new() -> Self {
        let mut stacks = Self { sets: IndexSet::default(), unions: HashMap::default(), n_items: 0, work: 0 };
        assert_eq!(stacks.intern(&[]), NONE);
        assert_eq!(stacks.intern(&[Item { step: BOTTOM, below: NONE }]), DONE);
        stacks
    }

    pub(super) fn items(&self, set: SetId) -> &[Item] {
        self.sets.get_index(set as usize).expect("sets are never dropped alone")
    }

    /// The set of these items, which are in order and have different tops.
    pub(super) fn intern(&mut self, items: &[Item]) -> SetId {
        self.work += items.len() + 1;
        if let Some(known) = self.sets.get_index_of(items) {
            return known as SetId;
        }
        self.n_items += items.len();
        self.sets.insert_full(items.into()).0 as SetId
    }

    /// The set of these items; those with one top become one.
    pub(super) fn collect(&mut self, items: &mut Vec<Item>) -> SetId {
        items.sort_unstable();
        let mut n_kept = 0;
        for i in 0..items.len() {
            let item = items[i];
            if n_kept > 0 && items[n_kept - 1].step == item.step {
                items[n_kept - 1].below = self.union(items[n_kept - 1].below, item.below);
            } else {
                items[n_kept] = item;
                n_kept += 1;
            }
        }
        items.truncate(n_kept);
        self.intern(items)
    }

    /// The stacks of both.
    pub(super) fn union(&mut self, a: SetId, b: SetId) -> SetId {
        if let Some(known) = self.known_union(a, b) {
            return known;
        }
        let mut todo = vec![(a, b)];
        let mut items = Vec::new();
        while let Some(&(a, b)) = todo.last() {
            let n_todo = todo.len();
            if self.known_union(a, b).is_none() && self.merge(a, b, &mut items, &mut todo) {
                let union = self.intern(&items);
                self.unions.insert((a.min(b), a.max(b)), union);
            }
            if todo.len() == n_todo {
                todo.pop();
            }
        }
        self.known_union(a, b).expect("it was the last to be done")
    }

    /// Copies a set to other `stacks`; `moved` says which sets are there already.
    pub(super) fn copy_to(&self, set: SetId, stacks: &mut Self, moved: &mut HashMap<SetId, SetId>) -> SetId {
        let mut todo = vec![set];
        while let Some(&set) = todo.last() {
            let items = self.items(set);
            let missing = items.iter().map(|item| item.below).filter(|below| !moved.contains_key(below));
            let n_todo = todo.len();
            todo.extend(missing);
            if todo.len() == n_todo {
                let copy = |item: &Item| Item { step: item.step, below: moved[&item.below] };
                let items: Vec<_> = items.iter().map(copy).collect();
                moved.insert(set, stacks.intern(&items));
                todo.pop();
            }
        }
        moved[&set]
    }

    /// Rough size of all this.
    pub(super) fn size_bytes(&self) -> usize {
        self.n_items * size_of::<Item>() + self.sets.len() * 48 + self.unions.len() * 24
    }

    fn known_union(&self, a: SetId, b: SetId) -> Option<SetId> {
        match (a, b) {
            _ if a == b => Some(a),
            (NONE, other) | (other, NONE) => Some(other),
            _ => self.unions.get(&(a.min(b), a.max(b))).copied(),
        }
    }

    /// Writes the union to `items` and says true; or adds to `todo` the unions that must be known before.
    fn merge(&mut self, a: SetId, b: SetId, items: &mut Vec<Item>, todo: &mut Vec<(SetId, SetId)>) -> bool {
        items.clear();
        let n_todo = todo.len();
        let (mut left, mut right) = (self.items(a), self.items(b));
        let work = left.len() + right.len();
        loop {
            match (left, right) {
                ([], rest) | (rest, []) => {
                    items.extend_from_slice(rest);
                    break;
                }
                ([l, after @ ..], [r, ..]) if l.step < r.step => {
                    items.push(*l);
                    left = after;
                }
                ([l, ..], [r, after @ ..]) if l.step > r.step => {
                    items.push(*r);
                    right = after;
                }
                ([l, left_after @ ..], [r, right_after @ ..]) => {
                    match self.known_union(l.below, r.below) {
                        Some(below) => items.push(Item { step: l.step, below }),
                        None => todo.push((l.below, r.below)),
                    }
                    (left, right) = (left_after, right_after);
                }
            }
        }
        self.work += work;
        todo.len() == n_todo
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Stacks {
        fn push(&mut self, step: StepId, below: SetId) -> SetId {
            self.intern(&[Item { step, below }])
        }
    }

    #[test]
    fn equal_sets_are_one() {
        let mut stacks = Stacks::new();
        let a = stacks.push(3, DONE);
        let b = stacks.push(5, a);
        let both = stacks.union(a, b);
        assert_eq!(stacks.items(both), [Item { step: 3, below: DONE }, Item { step: 5, below: a }]);
        assert_eq!(stacks.union(b, a), both);
        assert_eq!(stacks.union(both, b), both);
        assert_eq!(stacks.union(both, NONE), both);
        let mut items =
            vec![Item { step: 5, below: a }, Item { step: 3, below: DONE }, Item { step: 5, below: a }];
        assert_eq!(stacks.collect(&mut items), both);
    }

    #[test]
    fn exponentially_many_stacks_take_linear_space() {
        let mut stacks = Stacks::new();
        let mut all = DONE;
        for _ in 0..10_000 {
            let (left, right) = (stacks.push(1, all), stacks.push(2, all));
            all = stacks.union(left, right);
        }
        assert!(stacks.sets.len() < 40_000, "{} sets", stacks.sets.len());
    }

    #[test]
    fn deep_unions_cost_no_stack() {
        let mut stacks = Stacks::new();
        let (mut left, mut right) = (stacks.push(1, DONE), stacks.push(2, DONE));
        for _ in 0..100_000 {
            (left, right) = (stacks.push(7, left), stacks.push(7, right));
        }
        let mut both = stacks.union(left, right);
        for _ in 0..100_000 {
            both = stacks.items(both)[0].below;
        }
        assert_eq!(stacks.items(both).len(), 2);
    }
}
