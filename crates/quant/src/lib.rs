//! Tensor types of GGUF: block layouts, the scalar decode and encode that define them, and one table of all types.
//!
//! Knows nothing of files, tensors, threads or SIMD. The scalar code here is the definition of each format;
//! a backend's kernels must agree with it. Adding a type is a file in `formats/` and its line in the table there.

mod block;
mod codec;
mod dtype;
mod error;
mod formats;
mod pack;
pub mod tables;

pub use codec::{decode, validate_row};
pub use dtype::DType;
pub use error::Error;

/// The block structs, all [`bytemuck::Pod`] and of alignment 1, so that any bytes of a file can be cast to them.
pub mod blocks {
    pub use crate::block::{Block, F16, F32, I16, U16};
    pub use crate::formats::*;
}
