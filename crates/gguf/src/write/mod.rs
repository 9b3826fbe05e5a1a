//! Makes GGUF files: small ones in memory, large ones streamed to disk, tensor by tensor, in one part or several.
//!
//! Nothing appears under its final name before it is whole and on the disk.

mod atomic;
mod builder;
mod header;
mod value;
mod writer;

pub use atomic::{AtomicFile, Synced};
pub use builder::Builder;
pub use header::{Header, TensorSpec};
pub use value::OwnedValue;
pub use writer::Writer;

#[cfg(test)]
mod tests;
