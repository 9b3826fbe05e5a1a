//! What sequences remember, and who owns which slot of device memory.
//!
//! Keys and values lie in blocks of tokens that sequences share by reference count; recurrent states in slots of
//! their own, with snapshots to go back to.

mod group;
mod pool;
mod sequences;

pub(crate) use sequences::{MemoryConfig, Sequences};

/// Names a sequence of a context. Never used again once removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SeqId(pub(crate) u64);
