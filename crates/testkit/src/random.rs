//! Repeatable random numbers, and texts made of them.

/// splitmix64: good enough to make tests, and the same everywhere.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Any number.
    pub fn any(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to `n` - 1.
    pub fn below(&mut self, n: u64) -> u64 {
        self.any() % n
    }

    /// One of the items.
    ///
    /// # Panics
    /// If there is none.
    pub fn one_of<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len() as u64) as usize]
    }

    /// About `n_bytes` of any characters, each plane and script as likely as its size.
    pub fn unicode(&mut self, n_bytes: usize) -> String {
        let mut text = String::with_capacity(n_bytes + 4);
        while text.len() < n_bytes {
            text.extend(char::from_u32(self.below(0x11_0000) as u32));
        }
        text
    }

    /// A few short runs of characters that tokenizers tell apart, and now and then any that is `known`: classes of
    /// characters change from one version of Unicode to the next.
    pub fn text(&mut self, known: impl Fn(char) -> bool) -> String {
        let mut text = String::new();
        for _ in 0..=self.below(8) {
            let (c, n) = match self.below(40) {
                0 => (self.any_char(&known), 1),
                1..10 => (self.char_of(OTHERS), 1 + self.below(3)),
                10..14 => (' ', 1 + self.below(6)),
                14..17 => (char::from(b'0' + self.below(10) as u8), 1 + self.below(7)),
                _ => (self.char_of(COMMON), 1 + self.below(2)),
            };
            text.extend(std::iter::repeat_n(c, n as usize));
        }
        match self.below(500) {
            0 => text + &" ".repeat(self.below(1200) as usize) + "x",
            1 => text + "<sentinel:12>",
            2 => text + "IMGIMGABCZ" + "IMGIMGABCDEZ",
            _ => text,
        }
    }

    fn char_of(&mut self, chars: &str) -> char {
        let at = self.below(chars.chars().count() as u64) as usize;
        chars.chars().nth(at).expect("a place in the list")
    }

    fn any_char(&mut self, known: impl Fn(char) -> bool) -> char {
        loop {
            let c = char::from_u32(self.below(0x3_0000) as u32).unwrap_or(' ');
            if known(c) {
                return c;
            }
        }
    }
}

const COMMON: &str = "abZstRevmlLdD'' \u{20}\u{20}\u{20}\n\n\r\t\u{b}0123456789.,!?/_-()<>|$+^~`\"#:;[]\\";
const OTHERS: &str = "éßΩµʰǅйЖ中國龥㐀豈ꥠあアｱー가퟿ㄱㄅไລកကꩠꧠ܀࡟\u{301}\u{903}\u{20dd}½Ⅷ٣①０…“”‘’—。、：；，！？～＄€∑¦😀🏽\
    \u{85}\u{a0}\u{2003}\u{2028}\u{3000}\u{200b}\u{ad}\u{feff}\u{e000}ꙀＡ𐐀𞤀𑢠ß𠀀𪜀、〿︰།۔،؟";
