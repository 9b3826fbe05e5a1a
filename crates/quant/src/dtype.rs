//! `DType`, the tensor type of a GGUF file, and the macro that makes it from the table in `formats`.

use std::fmt;
use std::str::FromStr;

use crate::block::Block;
use crate::codec::position;
use crate::{Error, vectorized};

pub use crate::formats::DType;

/// What the table knows of a type: its sizes and its codec, as functions over raw bytes.
pub(crate) struct Format {
    pub(crate) name: &'static str,
    pub(crate) block_len: usize,
    pub(crate) block_bytes: usize,
    pub(crate) needs_importance: bool,
    /// Decodes whole blocks; the caller has checked the sizes.
    pub(crate) decode: fn(&[u8], &mut [f32]),
    /// Encodes a row of whole blocks; the caller has checked sizes and values.
    pub(crate) encode_row: fn(&[f32], Option<&[f32]>, &mut [u8]),
    /// The first block that holds a non-finite scale or value.
    pub(crate) find_not_finite: fn(&[u8]) -> Option<usize>,
}

impl Format {
    pub(crate) const fn of<B: Block<N>, const N: usize>(name: &'static str) -> Self {
        const { assert!(align_of::<B>() == 1, "a block must be readable at any byte offset") };
        Self {
            name,
            block_len: N,
            block_bytes: size_of::<B>(),
            needs_importance: B::NEEDS_IMPORTANCE,
            decode: |bytes, out| B::decode_row(bytemuck::cast_slice(bytes), out),
            encode_row: |x, importance, bytes| {
                vectorized::encode_row::<B, N>(x, importance, bytemuck::cast_slice_mut(bytes));
            },
            find_not_finite: |bytes| {
                position(bytemuck::cast_slice::<u8, B>(bytes), |block| !block.is_finite())
            },
        }
    }
}

/// Makes `DType` and its table: `Name = ggml id, Block, values a block;`.
macro_rules! formats {
    ($($(#[$doc:meta])* $name:ident = $id:literal, $block:ty, $len:literal;)*) => {
        /// The type of a tensor's elements; the discriminant is its id in GGUF files.
        #[expect(non_camel_case_types, reason = "the formats are known by these names")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u32)]
        pub enum DType { $($(#[$doc])* $name = $id,)* }

        impl DType {
            /// Every type, in the order of ids.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The type of a GGUF id, or `None` for ids that are unknown or retired.
            #[must_use]
            pub const fn from_id(id: u32) -> Option<Self> {
                match id {
                    $($id => Some(Self::$name),)*
                    _ => None,
                }
            }

            pub(crate) const fn format(self) -> &'static crate::dtype::Format {
                match self {
                    $(Self::$name => const { &crate::dtype::Format::of::<$block, $len>(stringify!($name)) },)*
                }
            }
        }
    };
}
pub(crate) use formats;

impl DType {
    /// The id in GGUF files.
    #[must_use]
    pub const fn id(self) -> u32 {
        self as u32
    }

    /// The usual name, such as `Q4_K`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.format().name
    }

    /// Values in a block.
    #[must_use]
    pub const fn block_len(self) -> usize {
        self.format().block_len
    }

    /// Bytes of a block.
    #[must_use]
    pub const fn block_bytes(self) -> usize {
        self.format().block_bytes
    }

    /// Bytes of a row of `n` values; `None` where that is not whole blocks, or too large to count.
    #[must_use]
    pub const fn row_bytes(self, n: usize) -> Option<usize> {
        if !n.is_multiple_of(self.block_len()) {
            return None;
        }
        (n / self.block_len()).checked_mul(self.block_bytes())
    }

    /// Whether values share scales in blocks; false for plain integers and floats.
    #[must_use]
    pub const fn is_quantized(self) -> bool {
        self.block_len() > 1
    }

    /// Whether the weights of a file may have the type: not of activations, of integers or of more than 32 bits.
    #[must_use]
    pub const fn is_for_weights(self) -> bool {
        match self {
            Self::F32 | Self::F16 | Self::BF16 => true,
            Self::Q8_1 | Self::Q8_K => false,
            _ => self.is_quantized(),
        }
    }

    /// Whether the type is so coarse that [`encode`](crate::encode) refuses without importance.
    #[must_use]
    pub const fn needs_importance(self) -> bool {
        self.format().needs_importance
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for DType {
    type Err = Error;

    /// Reads a name in any case.
    fn from_str(name: &str) -> Result<Self, Error> {
        let named = |dtype: &&Self| dtype.name().eq_ignore_ascii_case(name);
        Self::ALL.iter().find(named).copied().ok_or_else(|| Error::UnknownType { name: name.to_owned() })
    }
}
