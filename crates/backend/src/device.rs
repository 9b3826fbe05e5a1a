//! The traits a device implements. All are object-safe: the engine never names a concrete device.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use tensor::{DType, MemoryId, MemorySpec, Node, NodeId, Output, Weight};

use crate::Step;

/// What can go wrong on a device.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("{device}: out of memory: {what} needs {needed} bytes")]
    OutOfMemory { device: String, what: String, needed: u64 },
    #[error("{device}: cannot compute {op}; no other device in the list can either")]
    Unsupported { device: String, op: String },
    #[error("{device}: {what}")]
    Failed { device: String, what: String },
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Shared bytes of a weight, typically a range of a mapped file.
pub type Bytes = Arc<dyn AsRef<[u8]> + Send + Sync>;

/// What a device is, for users and for placement.
#[derive(Clone, Debug)]
pub struct DeviceInfo {
    pub name: String,
    pub kind: DeviceKind,
    /// One line on the hardware: processor, instruction set.
    pub description: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceKind {
    Cpu,
    Gpu,
}

/// A place that stores tensors and runs graphs.
pub trait Device: Send + Sync + fmt::Debug {
    fn info(&self) -> DeviceInfo;

    /// Whether `node`, whose inputs are `inputs`, can run here.
    fn supports(&self, node: &Node, inputs: &[&Node]) -> bool;

    /// Makes a weight usable here. A device that can read the file's bytes in place keeps `data`; others copy.
    fn load(&self, weight: &Weight, data: Bytes) -> Result<Arc<dyn Buffer>>;

    /// Storage for the memories placed here, all slots zero.
    fn memory(&self, layouts: &[MemoryLayout]) -> Result<Arc<dyn Memory>>;

    /// Prepares a part of a graph for any step of up to `part.max_tokens` tokens.
    fn compile(&self, part: Part<'_>) -> Result<Box<dyn Executor>>;
}

/// A weight on a device.
pub trait Buffer: Send + Sync + fmt::Debug {
    fn as_any(&self) -> &dyn Any;
    /// Bytes it occupies on the device beyond the mapped file.
    fn n_bytes(&self) -> u64;
}

/// How one memory is stored on a device.
#[derive(Clone, Debug)]
pub struct MemoryLayout {
    pub id: MemoryId,
    pub spec: MemorySpec,
    pub key_type: DType,
    pub value_type: DType,
    /// Which of the step's views it is read and written through.
    pub group: u32,
    /// Blocks of [`BLOCK_TOKENS`](crate::BLOCK_TOKENS) tokens, or recurrent states.
    pub n_slots: u32,
}

/// The memories of one device. Slots are blocks of tokens or states; all calls are between steps.
pub trait Memory: Send + Sync + fmt::Debug {
    fn as_any(&self) -> &dyn Any;
    /// Bytes of one slot; 0 if the memory is not on this device.
    fn slot_bytes(&self, id: MemoryId) -> usize;
    fn copy(&self, id: MemoryId, from: u32, to: u32);
    fn clear(&self, id: MemoryId, slot: u32);
    /// Appends the slot's bytes to `out`.
    fn read(&self, id: MemoryId, slot: u32, out: &mut Vec<u8>);
    /// Overwrites the slot; `bytes` has [`Memory::slot_bytes`] bytes.
    fn write(&self, id: MemoryId, slot: u32, bytes: &[u8]);
}

/// A part of a graph, with what it is bound to.
#[derive(Debug)]
pub struct Part<'a> {
    pub nodes: &'a [Node],
    pub outputs: &'a [(Output, NodeId)],
    /// By `WeightId`; present for every weight node of the part.
    pub weights: &'a [Option<Arc<dyn Buffer>>],
    pub memory: Arc<dyn Memory>,
    pub max_tokens: usize,
}

/// A compiled part. Runs allocate nothing.
pub trait Executor: Send + fmt::Debug {
    /// Sets the rows of `Input::Import { index }` for the next run.
    fn import(&mut self, index: u32, rows: &[u8]);

    fn run(&mut self, step: &Step<'_>) -> Result<()>;

    /// A result of the last run, row after row.
    fn output(&self, output: Output) -> &[u8];
}
