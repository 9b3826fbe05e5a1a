//! Makes model files from model files: quantization recipes, importance matrices, splitting, merging, editing.
//!
//! Everything streams: no tensor is ever whole in memory. Knows no engine and no graph; prints nothing.

pub mod edit;
mod error;
pub mod imatrix;
pub mod quantize;
pub mod recipe;

pub use error::{Error, Result};
pub use imatrix::Imatrix;
pub use recipe::Mix;
