//! The random choices of tasks that llama.cpp makes: a generator started with 1, so that everyone runs the same ones.

use sampling::Mt19937;

const SEED: u32 = 1;

/// `n` of `of` indices, drawn as `std::uniform_int_distribution` of libstdc++ draws them; the ones left stay in order.
pub(super) fn uniform(n: usize, of: usize) -> Vec<usize> {
    let mut rng = Mt19937::new(SEED);
    let mut left: Vec<usize> = (0..of).collect();
    (0..n.min(of)).map(|_| left.remove(below(&mut rng, left.len() as u32) as usize)).collect()
}

/// Lemire's method: uniform in `0..range`, without a division in most cases.
fn below(rng: &mut Mt19937, range: u32) -> u32 {
    let mut product = u64::from(rng.next_u32()) * u64::from(range);
    if (product as u32) < range {
        let threshold = range.wrapping_neg() % range;
        while (product as u32) < threshold {
            product = u64::from(rng.next_u32()) * u64::from(range);
        }
    }
    (product >> 32) as u32
}

/// `n` of `of` indices, each a scaled word of the generator; the last one left takes the place of the one drawn.
pub(super) fn scaled(n: usize, of: usize) -> Vec<usize> {
    let mut rng = Mt19937::new(SEED);
    let mut left: Vec<usize> = (0..of).collect();
    let mut draw = |_| {
        let unit = rng.next_u32() as f32 / 2f32.powi(32);
        // The greatest words round up to 1.
        let place = ((unit * left.len() as f32) as usize).min(left.len() - 1);
        left.swap_remove(place)
    };
    (0..n.min(of)).map(&mut draw).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_index_is_drawn_once() {
        for (draw, n) in [(uniform as fn(usize, usize) -> Vec<usize>, 100), (scaled, 100)] {
            let mut all = draw(n, n);
            assert_ne!(all, (0..n).collect::<Vec<_>>());
            all.sort_unstable();
            assert_eq!(all, (0..n).collect::<Vec<_>>());
            assert_eq!(draw(7, 3).len(), 3);
        }
    }

    /// The first word of a generator started with 1 is 1791095845.
    #[test]
    fn draws_are_those_of_the_generator() {
        assert_eq!(uniform(1, 1000), [417]);
        assert_eq!(scaled(1, 1000), [417]);
    }
}
