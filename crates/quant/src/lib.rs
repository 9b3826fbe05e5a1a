//! Tensor types of GGUF: block layouts, the scalar decode and encode that define them, and one table of all types.
//!
//! Knows nothing of files, tensors, threads or SIMD. The scalar code here is the definition of each format;
//! a backend's kernels must agree with it. Adding a type is a file in `formats/` and its line in the table there.
//!
//! ```
//! use quant::{DType, decode, encode};
//!
//! let x: Vec<f32> = (0..64).map(|i| i as f32 / 64.0).collect();
//! let mut bytes = vec![0; DType::Q8_0.row_bytes(x.len()).unwrap()];
//! encode(DType::Q8_0, &x, 64, None, &mut bytes)?;
//! let mut back = vec![0.0; x.len()];
//! decode(DType::Q8_0, &bytes, &mut back)?;
//! assert!(x.iter().zip(&back).all(|(x, b)| (x - b).abs() < 0.005));
//! # Ok::<(), quant::Error>(())
//! ```

mod block;
mod codec;
mod dtype;
mod error;
mod formats;
mod pack;
mod search;
pub mod tables;
mod vectorized;

pub use codec::{decode, encode, validate_row};
pub use dtype::DType;
pub use error::Error;

/// The block structs, all [`bytemuck::Pod`] and of alignment 1, so that any bytes of a file can be cast to them.
pub mod blocks {
    pub use crate::block::{Block, F16, F32, I16, Importance, U16};
    pub use crate::formats::*;
}
