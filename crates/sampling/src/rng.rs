//! The Mersenne Twister MT19937 (Matsumoto and Nishimura, 1998) and the distributions of libstdc++ over it, so
//! that a seed draws what llama.cpp draws. Not for secrets.

use std::hash::{BuildHasher, RandomState};

const N: usize = 624;
const M: usize = 397;

/// MT19937 with the seeding of `std::mt19937`.
#[derive(Clone, PartialEq, Eq)]
pub struct Mt19937 {
    state: [u32; N],
    next: usize,
}

impl std::fmt::Debug for Mt19937 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mt19937").field("next", &self.next).finish_non_exhaustive()
    }
}

impl Mt19937 {
    /// The generator that `std::mt19937(seed)` makes.
    pub fn new(seed: u32) -> Self {
        let mut state = [seed; N];
        for i in 1..N {
            let last = state[i - 1];
            state[i] = (last ^ (last >> 30)).wrapping_mul(1_812_433_253).wrapping_add(i as u32);
        }
        Self { state, next: N }
    }

    /// The next 32 random bits.
    pub fn next_u32(&mut self) -> u32 {
        if self.next == N {
            self.twist();
        }
        let mut y = self.state[self.next];
        self.next += 1;
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c_5680;
        y ^= (y << 15) & 0xefc6_0000;
        y ^ (y >> 18)
    }

    /// Uniform in [0, 1): two words, as `std::uniform_real_distribution<double>`.
    pub fn next_f64(&mut self) -> f64 {
        let low = f64::from(self.next_u32());
        let high = f64::from(self.next_u32());
        let unit = (low + high * 2f64.powi(32)) / 2f64.powi(64);
        unit.min(1f64.next_down())
    }

    /// Uniform in [0, 1): one word, as `std::uniform_real_distribution<float>`.
    pub fn next_f32(&mut self) -> f32 {
        let unit = self.next_u32() as f32 / 2f32.powi(32);
        unit.min(1f32.next_down())
    }

    /// Index drawn in proportion to `weights`, as `std::discrete_distribution<int>`: a single weight draws
    /// nothing from the generator.
    pub fn next_index(&mut self, weights: &[f32]) -> usize {
        if weights.len() < 2 {
            return 0;
        }
        let sum: f64 = weights.iter().map(|&w| f64::from(w)).sum();
        let target = self.next_f64();
        let mut cumulative = 0.0;
        for (i, &weight) in weights[..weights.len() - 1].iter().enumerate() {
            cumulative += f64::from(weight) / sum;
            if cumulative >= target {
                return i;
            }
        }
        weights.len() - 1
    }

    fn twist(&mut self) {
        for i in 0..N {
            let y = (self.state[i] & 0x8000_0000) | (self.state[(i + 1) % N] & 0x7fff_ffff);
            let matrix = if y & 1 == 1 { 0x9908_b0df } else { 0 };
            self.state[i] = self.state[(i + M) % N] ^ (y >> 1) ^ matrix;
        }
        self.next = 0;
    }
}

/// A generator that knows its seed, so that it can start again.
#[derive(Debug, Clone)]
pub struct Draws {
    wish: Option<u32>,
    seed: u32,
    pub(crate) rng: Mt19937,
}

impl Draws {
    /// Starts from `seed`, or from one that differs on every call.
    pub fn new(seed: Option<u32>) -> Self {
        let wish = seed;
        let seed = seed.unwrap_or_else(entropy);
        Self { wish, seed, rng: Mt19937::new(seed) }
    }

    /// The seed in use.
    pub fn seed(&self) -> u32 {
        self.seed
    }

    /// Starts again: from the given seed, or from a fresh one where none was given.
    pub fn reset(&mut self) {
        *self = Self::new(self.wish);
    }
}

/// The standard library keys its hash maps from the system's random source; hashing nothing reads the key out.
fn entropy() -> u32 {
    RandomState::new().hash_one(0u8) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The standard demands this of every implementation of `std::mt19937` (ISO C++ [rand.predef]).
    #[test]
    fn ten_thousandth_word_of_the_default_seed() {
        let mut rng = Mt19937::new(5489);
        let last = (0..10_000).map(|_| rng.next_u32()).last();
        assert_eq!(last, Some(4_123_659_995));
    }

    #[test]
    fn reset_repeats_a_given_seed() {
        let mut draws = Draws::new(Some(42));
        let first = draws.rng.next_u32();
        draws.reset();
        assert_eq!((draws.seed(), draws.rng.next_u32()), (42, first));
    }

    #[test]
    fn no_seed_means_another_one_each_time() {
        let seeds: std::collections::BTreeSet<u32> = (0..8).map(|_| Draws::new(None).seed()).collect();
        assert!(seeds.len() > 1);
    }

    #[test]
    fn single_weight_draws_nothing() {
        let mut rng = Mt19937::new(1);
        assert_eq!(rng.next_index(&[0.3]), 0);
        assert_eq!(rng, Mt19937::new(1));
    }
}
