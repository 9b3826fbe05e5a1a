//! The formats with integer kernels, a family each file: where their codes and scales are. The values they stand
//! for are defined in `quant`.

mod k;
mod legacy;

pub(crate) use k::{Q2K, Q3K, Q4K, Q5K, Q6K};
pub(crate) use legacy::{Q4_0, Q4_1, Q5_0, Q5_1, Q8_0};
