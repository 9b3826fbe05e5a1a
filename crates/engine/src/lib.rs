//! Runs models: weights on devices, memory of sequences, batches, the decode loop.
//!
//! Knows no concrete device, no HTTP and no command line. [`LoadedModel`] is a file on its devices; a [`Context`] runs
//! it for any number of sequences.

mod context;
mod error;
mod loaded;
mod memory;

pub use context::{Context, ContextConfig, Entry, Outputs, Wanted};
pub use error::{Error, Result};
pub use loaded::{LoadConfig, LoadedModel};
pub use memory::SeqId;
pub use model::Mode;
