//! Byte-pair merging: the best pair of neighbours becomes one symbol until no pair is left. Shared by BPE (best =
//! lowest rank) and SPM (best = highest score).

use super::merge_queue::{Candidate, MergeQueue};

/// A possible merge: the smaller `rank` goes first, ties go to the left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Merge {
    pub(crate) rank: u32,
    /// Symbol that results.
    pub(crate) symbol: u32,
}

/// Memory of merging, kept between words.
#[derive(Default)]
pub(crate) struct Merger {
    symbols: Vec<u32>,
    merges: Vec<Option<Merge>>,
    links: Vec<Link>,
    queue: MergeQueue,
}

/// A symbol of a long word. A symbol that was merged into its left neighbour stays, with `next` = [`MERGED`].
#[derive(Clone, Copy)]
struct Link {
    symbol: u32,
    prev: u32,
    next: u32,
}

const NONE: u32 = u32::MAX;
const MERGED: u32 = u32::MAX - 1;

/// Up to this length a plain search for the best pair is faster than a queue.
const SHORT: usize = 48;

impl Merger {
    /// Forgets the word before.
    pub(crate) fn clear(&mut self) {
        self.symbols.clear();
    }

    /// Appends symbols to the word.
    pub(crate) fn extend(&mut self, symbols: impl Iterator<Item = u32>) {
        self.symbols.extend(symbols);
    }

    /// Merges the symbols and returns what remains. `merge` knows what two neighbours become.
    /// A word of 2^32 - 2 symbols or more, which no machine gets here today, stays as it is.
    pub(crate) fn run(&mut self, mut merge: impl FnMut(u32, u32) -> Option<Merge>) -> &[u32] {
        if self.symbols.len() <= SHORT {
            self.run_short(&mut merge);
        } else if self.symbols.len() < MERGED as usize {
            self.run_long(&mut merge);
        }
        &self.symbols
    }

    fn run_short(&mut self, merge: &mut impl FnMut(u32, u32) -> Option<Merge>) {
        let (symbols, merges) = (&mut self.symbols, &mut self.merges);
        merges.clear();
        merges.extend(symbols.windows(2).map(|pair| merge(pair[0], pair[1])));
        loop {
            let mut best: Option<(usize, Merge)> = None;
            for (at, candidate) in merges.iter().enumerate() {
                if let Some(candidate) = *candidate
                    && best.is_none_or(|(_, best)| candidate.rank < best.rank)
                {
                    best = Some((at, candidate));
                }
            }
            let Some((at, Merge { symbol, .. })) = best else {
                return;
            };
            symbols[at] = symbol;
            symbols.remove(at + 1);
            merges.remove(at);
            if at > 0 {
                merges[at - 1] = merge(symbols[at - 1], symbol);
            }
            if at < merges.len() {
                merges[at] = merge(symbol, symbols[at + 1]);
            }
        }
    }

    fn run_long(&mut self, merge: &mut impl FnMut(u32, u32) -> Option<Merge>) {
        let n = self.symbols.len() as u32;
        self.links.clear();
        self.links.extend((0..n).zip(&self.symbols).map(|(at, &symbol)| Link {
            symbol,
            prev: at.wrapping_sub(1),
            next: if at + 1 < n { at + 1 } else { NONE },
        }));
        let (links, queue) = (&mut self.links, &mut self.queue);
        let mut enqueue = |links: &[Link], queue: &mut MergeQueue, at: u32| {
            let left = links[at as usize].symbol;
            let Some(right) = links.get(links[at as usize].next as usize) else { return };
            let right = right.symbol;
            if let Some(Merge { rank, symbol }) = merge(left, right) {
                queue.push(rank, Candidate { at, left, right, symbol });
            }
        };
        for at in 0..n {
            enqueue(links, queue, at);
        }
        while let Some(Candidate { at, left, right, symbol }) = queue.pop() {
            let Link { symbol: current, prev, next } = links[at as usize];
            if next >= MERGED || current != left || links[next as usize].symbol != right {
                continue;
            }
            let after = links[next as usize].next;
            links[next as usize].next = MERGED;
            links[at as usize] = Link { symbol, prev, next: after };
            if after != NONE {
                links[after as usize].prev = at;
            }
            if prev != NONE {
                enqueue(links, queue, prev);
            }
            enqueue(links, queue, at);
        }
        self.symbols.clear();
        self.symbols.extend(links.iter().filter(|link| link.next != MERGED).map(|link| link.symbol));
    }
}

#[cfg(test)]
mod tests {
    use super::{Merge, Merger};

    /// Some pairs merge, to symbols that may be parts of others; equal ranks are common.
    fn rule(seed: u32, left: u32, right: u32) -> Option<Merge> {
        let mut hash = seed;
        for symbol in [left, right] {
            hash = (hash ^ symbol).wrapping_mul(0x9e37_79b1).rotate_left(15).wrapping_mul(0x85eb_ca77);
        }
        let merges = hash.is_multiple_of(3) && left + right < 200;
        merges.then_some(Merge { rank: (hash >> 8) % 7, symbol: left + right + 1 })
    }

    #[test]
    fn long_words_merge_as_short_ones_do() {
        for seed in 0..3_000_u32 {
            let n = 1 + seed % 60;
            let symbols = (0..n).map(|i: u32| (i.wrapping_mul(seed | 1) >> 3) % 4);
            let [mut short, mut long] = [Merger::default(), Merger::default()];
            short.extend(symbols.clone());
            long.extend(symbols);
            short.run_short(&mut |left, right| rule(seed, left, right));
            long.run_long(&mut |left, right| rule(seed, left, right));
            assert_eq!(short.symbols, long.symbols, "seed {seed}");
        }
    }
}
