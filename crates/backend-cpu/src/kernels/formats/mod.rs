//! The formats with integer kernels, a family each file: where their codes and scales are. The values they stand
//! for are defined in `quant`.

mod codebook;
mod k;
mod legacy;
mod table;
mod ternary;

pub(crate) use codebook::{Iq1M, Iq1S, Iq2S, Iq2Xs, Iq2Xxs, Iq3S, Iq3Xxs};
pub(crate) use k::{Q2K, Q3K, Q4K, Q5K, Q6K};
pub(crate) use legacy::{Q4_0, Q4_1, Q5_0, Q5_1, Q8_0};
pub(crate) use table::{Iq4Nl, Iq4Xs, Mxfp4, Nvfp4};
pub(crate) use ternary::{Q1_0, Q2_0, Tq1_0, Tq2_0};
