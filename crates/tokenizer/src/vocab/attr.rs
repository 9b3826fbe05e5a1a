//! What a token is: text, control, byte, ..

use std::ops::{BitOr, BitOrAssign};

/// Attributes of a token, a set: the type the file gives it, plus what its text or the model's name adds.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct TokenAttr(u16);

impl TokenAttr {
    /// None of the others.
    pub const UNDEFINED: Self = Self(0);
    /// Stands for what the vocabulary cannot spell.
    pub const UNKNOWN: Self = Self(1);
    /// Never produced.
    pub const UNUSED: Self = Self(1 << 1);
    /// Ordinary text.
    pub const NORMAL: Self = Self(1 << 2);
    /// Steers the model; hidden from the text.
    pub const CONTROL: Self = Self(1 << 3);
    /// Text that is always one token, whatever surrounds it.
    pub const USER_DEFINED: Self = Self(1 << 4);
    /// One byte, written `<0x0A>`.
    pub const BYTE: Self = Self(1 << 5);
    /// Swallows white space to its left when it is parsed.
    pub const LSTRIP: Self = Self(1 << 6);
    /// Swallows white space to its right when it is parsed.
    pub const RSTRIP: Self = Self(1 << 7);

    /// Attribute of a `tokenizer.ggml.token_type` value.
    pub fn from_type(token_type: i32) -> Self {
        match token_type {
            1 => Self::NORMAL,
            2 => Self::UNKNOWN,
            3 => Self::CONTROL,
            4 => Self::USER_DEFINED,
            5 => Self::UNUSED,
            6 => Self::BYTE,
            _ => Self::UNDEFINED,
        }
    }

    /// Whether any attribute of `set` is there.
    pub fn has(self, set: Self) -> bool {
        self.0 & set.0 != 0
    }

    /// The union of both sets.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The set without those of `set`.
    #[must_use]
    pub fn without(self, set: Self) -> Self {
        Self(self.0 & !set.0)
    }
}

impl BitOr for TokenAttr {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        self.or(other)
    }
}

impl BitOrAssign for TokenAttr {
    fn bitor_assign(&mut self, other: Self) {
        *self = self.or(other);
    }
}

impl std::fmt::Debug for TokenAttr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const NAMES: [&str; 8] =
            ["UNKNOWN", "UNUSED", "NORMAL", "CONTROL", "USER_DEFINED", "BYTE", "LSTRIP", "RSTRIP"];
        let mut set = f.debug_set();
        for (bit, name) in NAMES.iter().enumerate() {
            if self.0 & (1 << bit) != 0 {
                set.entry(&format_args!("{name}"));
            }
        }
        set.finish()
    }
}
