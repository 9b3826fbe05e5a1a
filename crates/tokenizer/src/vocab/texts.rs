//! Many byte strings in one allocation, and finding one by its content.

use crate::{Error, Result};
use std::hash::{BuildHasher, RandomState};

/// Byte strings stored end to end: one allocation for a whole vocabulary instead of one for each token.
#[derive(Clone, Debug, Default)]
pub struct Texts {
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

impl Texts {
    /// No strings yet, with room for `n` of `n_bytes` in all.
    pub fn with_capacity(n: usize, n_bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(n_bytes), ends: Vec::with_capacity(n) }
    }

    /// Collects strings.
    ///
    /// # Errors
    /// [`Error::TooLarge`] where they outgrow 32-bit offsets; `key` is the name it reports.
    pub fn collect<'a>(key: &'static str, strings: impl IntoIterator<Item = &'a [u8]>) -> Result<Self> {
        let strings = strings.into_iter();
        let mut texts = Self::with_capacity(strings.size_hint().0, 8 * strings.size_hint().0);
        for string in strings {
            texts.push(string);
            if texts.bytes.len() > u32::MAX as usize || texts.ends.len() >= 1 << 30 {
                return Err(Error::TooLarge { key, n: texts.ends.len(), n_bytes: texts.bytes.len() });
            }
        }
        Ok(texts)
    }

    /// Number of strings.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// String `i`.
    pub fn get(&self, i: usize) -> Option<&[u8]> {
        let end = *self.ends.get(i)? as usize;
        let start = if i == 0 { 0 } else { self.ends[i - 1] as usize };
        Some(&self.bytes[start..end])
    }

    /// All strings in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        let mut start = 0;
        self.ends.iter().map(move |&end| {
            let text = &self.bytes[start..end as usize];
            start = end as usize;
            text
        })
    }

    pub(crate) fn push(&mut self, text: &[u8]) {
        self.bytes.extend_from_slice(text);
        // Callers check the total (see `collect`); a wrapped offset never gets out of it.
        self.ends.push(self.bytes.len() as u32);
    }
}

/// Finds a string's number by its content: open addressing over the numbers, nothing is copied.
///
/// The hash is seeded at random for each index: a file cannot be made to collide.
#[derive(Clone, Debug)]
pub(crate) struct TextIndex {
    seed: u64,
    shift: u32,
    /// High half: upper bits of the hash; low half: number + 1, 0 for an empty slot.
    slots: Box<[u64]>,
    longest: usize,
}

impl TextIndex {
    /// Indexes `texts`. On a text that is there twice: the two numbers.
    pub(crate) fn build(texts: &Texts) -> Result<Self, (u32, u32)> {
        let n_slots = (texts.len() * 2).next_power_of_two().max(2);
        let mut index = Self {
            seed: random_seed(),
            shift: 64 - n_slots.trailing_zeros(),
            slots: vec![0; n_slots].into_boxed_slice(),
            longest: texts.iter().map(<[u8]>::len).max().unwrap_or(0),
        };
        for (i, text) in texts.iter().enumerate() {
            let hash = hash_bytes(index.seed, text);
            match index.probe(texts, text, hash) {
                Ok(first) => return Err((first, i as u32)),
                Err(slot) => index.slots[slot] = (hash & TAG) | (i as u64 + 1),
            }
        }
        Ok(index)
    }

    /// Number of the string equal to `text`.
    #[inline]
    pub(crate) fn find(&self, texts: &Texts, text: &[u8]) -> Option<u32> {
        if text.len() > self.longest {
            return None;
        }
        self.probe(texts, text, hash_bytes(self.seed, text)).ok()
    }

    /// Length in bytes of the longest string.
    pub(crate) fn longest(&self) -> usize {
        self.longest
    }

    /// The number found, or the free slot where it would be.
    #[inline]
    fn probe(&self, texts: &Texts, text: &[u8], hash: u64) -> Result<u32, usize> {
        let mask = self.slots.len() - 1;
        let mut at = (hash >> self.shift) as usize & mask;
        loop {
            let slot = self.slots[at];
            if slot == 0 {
                return Err(at);
            }
            if slot & TAG == hash & TAG {
                let id = (slot & !TAG) as u32 - 1;
                if texts.get(id as usize) == Some(text) {
                    return Ok(id);
                }
            }
            at = (at + 1) & mask;
        }
    }
}

const TAG: u64 = 0xffff_ffff_0000_0000;
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// A seed nobody can predict, from the standard library's hash map.
pub(crate) fn random_seed() -> u64 {
    RandomState::new().hash_one(0u8)
}

/// Both halves of the 128-bit product: every input bit reaches every output bit.
#[inline]
pub(crate) fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ ((product >> 64) as u64)
}

/// Hash of a short byte string, eight bytes a step.
#[inline]
fn hash_bytes(seed: u64, bytes: &[u8]) -> u64 {
    let mut hash = seed ^ (bytes.len() as u64).wrapping_mul(MULTIPLIER);
    let mut chunks = bytes.chunks_exact(8);
    for chunk in &mut chunks {
        hash = fold(hash ^ u64::from_le_bytes(chunk.try_into().expect("chunks of 8")), MULTIPLIER);
    }
    let rest = chunks.remainder();
    let tail = match rest.len() {
        0 => 0,
        n @ 1..4 => u64::from(rest[0]) | u64::from(rest[n / 2]) << 8 | u64::from(rest[n - 1]) << 16,
        n => {
            let low = u32::from_le_bytes(rest[..4].try_into().expect("4 bytes"));
            let high = u32::from_le_bytes(rest[n - 4..].try_into().expect("4 bytes"));
            u64::from(low) | u64::from(high) << 32
        }
    };
    fold(hash ^ tail, seed | 1)
}
