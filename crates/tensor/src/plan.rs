//! Memory plan: places buffers with known lifetimes into one arena, so that a step allocates nothing.
//!
//! Works in abstract units; a backend plans its fixed buffers in bytes and its row buffers in bytes a token.

/// When a buffer is alive, in stages, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    pub first: usize,
    pub last: usize,
    pub size: usize,
}

/// Where a buffer was placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    pub offset: usize,
}

/// Places buffers greedily, largest first, at the lowest offset free over their whole life. Returns the slots in
/// the order given and the size of the arena.
pub fn plan_arena(buffers: &[Lifetime]) -> (Vec<Slot>, usize) {
    let mut order: Vec<usize> = (0..buffers.len()).collect();
    order.sort_by_key(|&i| (std::cmp::Reverse(buffers[i].size), buffers[i].first));
    let mut slots = vec![Slot { offset: 0 }; buffers.len()];
    let mut placed: Vec<usize> = Vec::with_capacity(buffers.len());
    let mut total = 0;
    for i in order {
        let b = buffers[i];
        if b.size == 0 {
            continue;
        }
        let mut busy: Vec<(usize, usize)> = placed
            .iter()
            .filter(|&&j| buffers[j].first <= b.last && b.first <= buffers[j].last)
            .map(|&j| (slots[j].offset, slots[j].offset + buffers[j].size))
            .collect();
        busy.sort_unstable();
        let mut offset = 0;
        for (start, end) in busy {
            if offset + b.size <= start {
                break;
            }
            offset = offset.max(end);
        }
        slots[i] = Slot { offset };
        total = total.max(offset + b.size);
        placed.push(i);
    }
    (slots, total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(buffers: &[(usize, usize, usize)], want_total: usize) {
        let buffers: Vec<_> =
            buffers.iter().map(|&(first, last, size)| Lifetime { first, last, size }).collect();
        let (slots, total) = plan_arena(&buffers);
        assert_eq!(total, want_total, "{buffers:?} -> {slots:?}");
        for i in 0..buffers.len() {
            for j in 0..i {
                let (a, b) = (buffers[i], buffers[j]);
                let in_time = a.first <= b.last && b.first <= a.last;
                let (x, y) = (slots[i].offset, slots[j].offset);
                let in_space = x < y + b.size && y < x + a.size;
                assert!(!(in_time && in_space), "{a:?} at {x} overlaps {b:?} at {y}");
            }
        }
    }

    #[test]
    fn buffers_that_live_together_never_overlap() {
        check(&[], 0);
        check(&[(0, 1, 64), (1, 2, 64)], 128);
        check(&[(0, 1, 64), (2, 3, 64)], 64);
        check(&[(0, 3, 16), (0, 1, 64), (2, 3, 64)], 80);
        check(&[(0, 0, 0), (0, 5, 8), (1, 1, 8), (2, 2, 8), (2, 3, 8)], 24);
    }
}
