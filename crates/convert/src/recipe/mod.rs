//! The named mixes of tensor types, as files call them: `Q4_K_M` is mostly `Q4_K`, with more bits where they matter.
//!
//! The rules are those of llama.cpp, so that a name means the same file everywhere.

mod architectures;
mod category;
mod fallback;
mod kept;
mod rules;

use std::fmt;
use std::str::FromStr;

use quant::DType;

use crate::{Error, Result};

pub(crate) use category::{Category, is_token_embedding, layer_of};
pub(crate) use fallback::fit;
pub(crate) use kept::is_kept;
pub(crate) use rules::{Facts, Rules, Seen};

/// Makes `Mix` and its table: `Name = general.file_type, type of most tensors, what it is good for;`.
macro_rules! mixes {
    ($($name:ident = $id:literal, $base:ident, $about:literal;)*) => {
        /// A named mix of tensor types.
        #[expect(non_camel_case_types, reason = "the mixes are known by these names")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Mix { $(#[doc = $about] $name,)* }

        impl Mix {
            /// Every mix, the smallest files first.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }

            /// The value of `general.file_type`.
            #[must_use]
            pub const fn id(self) -> u32 {
                match self { $(Self::$name => $id,)* }
            }

            /// The type of most tensors.
            #[must_use]
            pub const fn base(self) -> DType {
                match self { $(Self::$name => DType::$base,)* }
            }

            /// What it is good for, in a few words.
            #[must_use]
            pub const fn about(self) -> &'static str {
                match self { $(Self::$name => $about,)* }
            }
        }
    };
}

mixes! {
    Q1_0 = 40, Q1_0, "1.125 bits, for models trained to be binary";
    IQ1_S = 24, IQ1_S, "1.56 bits, needs an importance matrix";
    TQ1_0 = 36, TQ1_0, "1.69 bits, for models trained to be ternary";
    IQ1_M = 31, IQ1_M, "1.75 bits, needs an importance matrix";
    IQ2_XXS = 19, IQ2_XXS, "2.06 bits, needs an importance matrix";
    TQ2_0 = 37, TQ2_0, "2.06 bits, for models trained to be ternary; faster than TQ1_0";
    Q2_0 = 41, Q2_0, "2.25 bits, for models trained to have four levels";
    IQ2_XS = 20, IQ2_XS, "2.31 bits, needs an importance matrix";
    IQ2_S = 28, IQ2_XS, "2.5 bits, needs an importance matrix";
    IQ2_M = 29, IQ2_S, "2.7 bits, needs an importance matrix";
    Q2_K_S = 21, Q2_K, "2.6 bits, needs an importance matrix";
    Q2_K = 10, Q2_K, "2.6 bits and some tensors better";
    IQ3_XXS = 23, IQ3_XXS, "3.06 bits, needs an importance matrix";
    IQ3_XS = 22, IQ3_S, "3.3 bits, needs an importance matrix";
    IQ3_S = 26, IQ3_S, "3.44 bits";
    Q3_K_S = 11, Q3_K, "3.44 bits";
    IQ3_M = 27, IQ3_S, "3.66 bits";
    Q3_K_M = 12, Q3_K, "3.44 bits and some tensors better";
    Q3_K_L = 13, Q3_K, "3.44 bits and more tensors better";
    IQ4_XS = 30, IQ4_XS, "4.25 bits, uneven steps";
    MXFP4_MOE = 38, MXFP4, "4.25 bits for experts, 8 for the rest";
    IQ4_NL = 25, IQ4_NL, "4.5 bits, uneven steps, short rows";
    Q4_0 = 2, Q4_0, "4.5 bits, the oldest";
    Q4_K_S = 14, Q4_K, "4.5 bits";
    Q4_K_M = 15, Q4_K, "4.5 bits and some tensors better: the usual choice";
    Q4_1 = 3, Q4_1, "5 bits, short rows";
    Q5_0 = 8, Q5_0, "5.5 bits, short rows";
    Q5_K_S = 16, Q5_K, "5.5 bits";
    Q5_K_M = 17, Q5_K, "5.5 bits and some tensors better";
    Q5_1 = 9, Q5_1, "6 bits, short rows";
    Q6_K = 18, Q6_K, "6.56 bits, hardly a loss";
    Q8_0 = 7, Q8_0, "8.5 bits, no loss that can be measured";
    F16 = 1, F16, "16 bits";
    BF16 = 32, BF16, "16 bits with the range of 32";
    F32 = 0, F32, "32 bits";
}

/// Other names of mixes.
const ALIASES: [(&str, Mix); 3] = [("Q3_K", Mix::Q3_K_M), ("Q4_K", Mix::Q4_K_M), ("Q5_K", Mix::Q5_K_M)];

/// The names of all mixes, for messages.
pub(crate) fn names() -> String {
    let names: Vec<_> = Mix::ALL.iter().map(|mix| mix.name()).collect();
    names.join(", ")
}

impl fmt::Display for Mix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Mix {
    type Err = Error;

    /// Reads a name in any case, or the number of `general.file_type`.
    fn from_str(text: &str) -> Result<Self> {
        let alias = ALIASES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
        if let Some((_, mix)) = alias {
            return Ok(*mix);
        }
        let number: Option<u32> = text.parse().ok();
        let is_meant = |mix: &&Self| mix.name().eq_ignore_ascii_case(text) || Some(mix.id()) == number;
        Self::ALL.iter().find(is_meant).copied().ok_or_else(|| Error::UnknownMix { name: text.into() })
    }
}
