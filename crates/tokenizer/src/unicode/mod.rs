//! Character classes of the pre-tokenizers and normalizers. Knows code points, not text or tokens.

mod table;
#[cfg(test)]
mod tests;

/// Set of the classes one character belongs to: one general category, and whether it is white space.
///
/// The value past the end of a text is [`Class::NONE`], which is in no set, negated or not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Class(u8);

impl Class {
    pub(crate) const NONE: Self = Self(0);
    /// `\p{L}`
    pub(crate) const LETTER: Self = Self(1);
    /// `\p{N}`
    pub(crate) const NUMBER: Self = Self(1 << 1);
    /// `\p{P}`
    pub(crate) const PUNCTUATION: Self = Self(1 << 2);
    /// `\p{S}`
    pub(crate) const SYMBOL: Self = Self(1 << 3);
    /// `\p{M}`
    pub(crate) const MARK: Self = Self(1 << 4);
    /// `\p{C}` without the unassigned
    pub(crate) const CONTROL: Self = Self(1 << 5);
    /// `\s`, Unicode's `White_Space`
    pub(crate) const WHITESPACE: Self = Self(1 << 6);
    /// `\p{Cn}`
    pub(crate) const UNASSIGNED: Self = Self(1 << 7);

    /// Class of a code point; beyond Unicode: [`Class::NONE`].
    #[inline]
    pub(crate) fn of(code_point: u32) -> Self {
        match TABLE.ascii.get(code_point as usize) {
            Some(&class) => class,
            None => TABLE.lookup(code_point),
        }
    }

    pub(crate) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the character is in any class of `set`.
    #[inline]
    pub(crate) const fn is(self, set: Self) -> bool {
        self.0 & set.0 != 0
    }

    /// Whether there is a character, and it is in no class of `set`.
    #[inline]
    pub(crate) const fn is_not(self, set: Self) -> bool {
        self.0 & set.0 == 0 && self.0 != 0
    }
}

/// Lower case of one character where that is one character, else the first of them.
/// Characters younger than the class table are left alone, as the reference does.
pub(crate) fn to_lower(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    if Class::of(u32::from(c)) == Class::UNASSIGNED {
        return c;
    }
    c.to_lowercase().next().unwrap_or(c)
}

/// First character of the canonical decomposition: what remains of a letter when its accents are dropped.
pub(crate) fn first_of_nfd(c: char) -> char {
    let mut first = c;
    let mut is_first = true;
    if Class::of(u32::from(c)) != Class::UNASSIGNED {
        unicode_normalization::char::decompose_canonical(c, |part| {
            if std::mem::replace(&mut is_first, false) {
                first = part;
            }
        });
    }
    first
}

/// Han characters by block, as `\p{Han}` of the Kimi K2 pattern is read.
pub(crate) fn is_han(c: u32) -> bool {
    matches!(c,
        0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xf900..=0xfaff | 0x20000..=0x2a6df | 0x2a700..=0x2b73f
        | 0x2b740..=0x2ebef | 0x2f800..=0x2fa1f)
}

const BLOCK: usize = 256;
const N_BLOCKS: usize = 0x11_0000 / BLOCK;
/// Distinct blocks of the table: raised when a new Unicode version needs more (the build fails then).
const N_DISTINCT: usize = 255;

/// Two-level table: code point / 256 -> block, block and code point % 256 -> class.
struct Table {
    ascii: [Class; 128],
    block_of: [u8; N_BLOCKS],
    blocks: [[Class; BLOCK]; N_DISTINCT],
}

static TABLE: Table = Table::build();

impl Table {
    #[inline]
    fn lookup(&self, code_point: u32) -> Class {
        match self.block_of.get(code_point as usize / BLOCK) {
            Some(&block) => self.blocks[block as usize][code_point as usize % BLOCK],
            None => Class::NONE,
        }
    }

    /// Expands the runs at compile time. Blocks that repeat the one before (most of the planes) are shared.
    const fn build() -> Self {
        let mut table = Self {
            ascii: [Class::NONE; 128],
            block_of: [0; N_BLOCKS],
            blocks: [[Class::NONE; BLOCK]; N_DISTINCT],
        };
        let mut run = 0;
        let mut distinct = 0;
        let mut uniform_before = Class::NONE;
        let mut n = 0;
        while n < N_BLOCKS {
            let start = (n * BLOCK) as u32;
            while run + 1 < table::RUNS.len() && table::RUNS[run + 1].0 <= start {
                run += 1;
            }
            let is_uniform = run + 1 == table::RUNS.len() || table::RUNS[run + 1].0 >= start + BLOCK as u32;
            if !(is_uniform && distinct > 0 && uniform_before.0 == table::RUNS[run].1.0) {
                let mut at = run;
                let mut i = 0;
                while i < BLOCK {
                    while at + 1 < table::RUNS.len() && table::RUNS[at + 1].0 <= start + i as u32 {
                        at += 1;
                    }
                    table.blocks[distinct][i] = table::RUNS[at].1;
                    i += 1;
                }
                distinct += 1;
            }
            uniform_before = if is_uniform { table::RUNS[run].1 } else { Class::NONE };
            table.block_of[n] = (distinct - 1) as u8;
            n += 1;
        }
        let mut i = 0;
        while i < 128 {
            table.ascii[i] = table.blocks[0][i];
            i += 1;
        }
        table
    }
}
