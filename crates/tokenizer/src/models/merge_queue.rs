//! Merges waiting for their turn: lowest rank first, then leftmost. A long word has many of few ranks, or few of
//! many, so they wait in one bucket a rank; within a bucket they mostly arrive in order.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

/// A merge that was possible when it was queued.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Candidate {
    /// Place of the left symbol.
    pub(super) at: u32,
    /// The symbols it would merge: when they are no longer there, it is out of date.
    pub(super) left: u32,
    pub(super) right: u32,
    /// What they become.
    pub(super) symbol: u32,
}

/// The queue. Memory is kept when it runs empty.
#[derive(Default, Debug)]
pub(super) struct MergeQueue {
    /// Ranks that have a bucket, each once.
    ranks: BinaryHeap<Reverse<u32>>,
    bucket_of: HashMap<u32, u32>,
    buckets: Vec<Bucket>,
    free: Vec<u32>,
    /// The rank looked up last and its bucket: it is mostly the next as well.
    last: Option<(u32, u32)>,
}

#[derive(Default, Debug)]
struct Bucket {
    /// In any order until the first is taken, then sorted.
    items: Vec<Candidate>,
    n_taken: usize,
    is_sorted: bool,
    /// Those that came after the first was taken.
    late: BinaryHeap<Reverse<Candidate>>,
}

impl Bucket {
    fn push(&mut self, candidate: Candidate) {
        if self.is_sorted {
            self.late.push(Reverse(candidate));
        } else {
            self.items.push(candidate);
        }
    }

    fn pop(&mut self) -> Option<Candidate> {
        if !self.is_sorted {
            // Stable sorting is linear on what is sorted already, or consists of a few sorted runs.
            self.items.sort();
            self.is_sorted = true;
        }
        let item = self.items.get(self.n_taken).copied();
        match (item, self.late.peek()) {
            (Some(item), late) if late.is_none_or(|late| item <= late.0) => {
                self.n_taken += 1;
                Some(item)
            }
            _ => self.late.pop().map(|late| late.0),
        }
    }

    fn clear(&mut self) {
        self.items.clear();
        self.n_taken = 0;
        self.is_sorted = false;
    }
}

impl MergeQueue {
    /// Lets a merge wait.
    pub(super) fn push(&mut self, rank: u32, candidate: Candidate) {
        let bucket = match self.last {
            Some((last, bucket)) if last == rank => bucket,
            _ => self.bucket(rank),
        };
        self.buckets[bucket as usize].push(candidate);
    }

    /// Takes the merge whose turn it is.
    pub(super) fn pop(&mut self) -> Option<Candidate> {
        loop {
            let &Reverse(rank) = self.ranks.peek()?;
            let bucket = match self.last {
                Some((last, bucket)) if last == rank => bucket,
                _ => self.bucket(rank),
            };
            if let Some(candidate) = self.buckets[bucket as usize].pop() {
                return Some(candidate);
            }
            self.buckets[bucket as usize].clear();
            self.free.push(bucket);
            self.ranks.pop();
            self.bucket_of.remove(&rank);
            self.last = None;
        }
    }

    /// The bucket of a rank, new if there is none.
    fn bucket(&mut self, rank: u32) -> u32 {
        let Self { ranks, bucket_of, buckets, free, .. } = self;
        let bucket = *bucket_of.entry(rank).or_insert_with(|| {
            ranks.push(Reverse(rank));
            free.pop().unwrap_or_else(|| {
                buckets.push(Bucket::default());
                (buckets.len() - 1) as u32
            })
        });
        self.last = Some((rank, bucket));
        bucket
    }
}

#[cfg(test)]
mod tests {
    use super::{Candidate, MergeQueue};

    fn at(at: u32) -> Candidate {
        Candidate { at, left: 0, right: 0, symbol: 0 }
    }

    #[test]
    fn lowest_rank_first_then_leftmost() {
        let mut queue = MergeQueue::default();
        for (rank, place) in [(5, 3), (5, 1), (2, 9), (5, 2)] {
            queue.push(rank, at(place));
        }
        assert_eq!(queue.pop(), Some(at(9)));
        assert_eq!(queue.pop(), Some(at(1)));
        // What comes later takes its place all the same.
        queue.push(5, at(0));
        queue.push(1, at(7));
        queue.push(5, at(4));
        let rest: Vec<u32> = std::iter::from_fn(|| queue.pop()).map(|candidate| candidate.at).collect();
        assert_eq!(rest, [7, 0, 2, 3, 4]);
        queue.push(2, at(1));
        assert_eq!(queue.pop(), Some(at(1)));
        assert_eq!(queue.pop(), None);
    }
}
