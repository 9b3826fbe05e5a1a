//! The GGUF container: read, check and write. Knows no tensor maths.
//!
//! Files come from strangers: every size is checked against the file before anything is allocated, and every fault is
//! an [`Error`] with the name, the numbers and the place.
//!
//! Arrays of arrays are refused, although the specification allows them: no known file has one, llama.cpp refuses them too,
//! and every reader of values would need a limit of depth.

mod error;
mod header;
mod limits;
mod metadata;
mod mmap;
mod read;
pub mod split;
mod tensor_type;
mod value;
pub mod write;

pub use error::{Error, Result};
pub use metadata::Metadata;
pub use read::{Data, Gguf, TensorInfo};
pub use tensor_type::TensorType;
pub use value::{Array, FromValue, Value, ValueType, Values};
