//! The blocks of tokens that were chosen for a row, as a run of tokens that attention goes through.

/// Blocks of tokens, ascending; only the last may be seen in part.
#[derive(Clone, Copy, Debug)]
pub(super) struct ChosenBlocks<'a> {
    numbers: &'a [i32],
    /// Tokens of a block.
    pub(super) len: usize,
    /// Tokens of all blocks.
    pub(super) n: usize,
}

impl<'a> ChosenBlocks<'a> {
    /// Of a row that sees `n_seen` tokens. A zero behind other numbers is none.
    pub(super) fn new(numbers: &'a [i32], len: usize, n_seen: usize) -> Self {
        let numbers = match numbers {
            [first @ .., _, 0] => &numbers[..=first.len()],
            _ => numbers,
        };
        let last = *numbers.last().expect("something is chosen") as usize;
        Self { numbers, len, n: (numbers.len() - 1) * len + len.min(n_seen - last * len) }
    }

    /// The place of token `i` in the sequence.
    pub(super) fn place(&self, i: usize) -> usize {
        self.numbers[i / self.len] as usize * self.len + i % self.len
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chosen_blocks_become_a_run_of_tokens() {
        let check = |numbers: &[i32], len, n_seen, want: &[usize]| {
            let blocks = ChosenBlocks::new(numbers, len, n_seen);
            let places: Vec<_> = (0..blocks.n).map(|i| blocks.place(i)).collect();
            assert_eq!(places, want, "blocks {numbers:?} of {len} tokens, {n_seen} seen");
        };
        check(&[1, 4, 7], 1, 9, &[1, 4, 7]);
        check(&[0, 2], 3, 9, &[0, 1, 2, 6, 7, 8]);
        check(&[1, 2], 3, 8, &[3, 4, 5, 6, 7]);
        check(&[1, 2, 0], 3, 9, &[3, 4, 5, 6, 7, 8]);
        check(&[0], 4, 3, &[0, 1, 2]);
    }
}
