//! What a device offers and how a graph is spread over several: the traits [`Device`], [`Buffer`], [`Memory`] and
//! [`Executor`], the splitter, and the conformance suite every device must pass.
//!
//! Knows no concrete device, no model and no file.

pub mod conformance;
mod device;
mod split;
mod step;

pub use device::{
    Buffer, Bytes, Device, DeviceInfo, DeviceKind, Error, Executor, Memory, MemoryLayout, Part, Result,
};
pub use split::{Pipeline, Placement};
pub use step::{BLOCK_TOKENS, KvView, SequenceRows, Step};
