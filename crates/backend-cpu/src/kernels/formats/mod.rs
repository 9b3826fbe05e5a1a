//! The formats with integer kernels, a file each.

mod legacy;
mod q4_k;

pub(crate) use legacy::{Q4_0, Q4_1, Q5_0, Q5_1, Q8_0};
pub(crate) use q4_k::Q4K;
