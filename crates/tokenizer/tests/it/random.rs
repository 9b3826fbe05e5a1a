//! Repeatable random numbers, and texts made of them.

/// splitmix64: good enough to make tests, and the same everywhere.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to `n` - 1.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
}

/// About `n_bytes` of any characters, each plane and script as likely as its size.
pub(crate) fn unicode(random: &mut Random, n_bytes: usize) -> String {
    let mut text = String::with_capacity(n_bytes + 4);
    while text.len() < n_bytes {
        text.extend(char::from_u32(random.below(0x11_0000) as u32));
    }
    text
}
