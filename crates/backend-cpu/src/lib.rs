//! The CPU device: a team of threads that runs compiled graphs in lockstep, kernels, instruction sets.
//!
//! Knows no model, no file and no sequence: only graphs, weights and memories.

mod compile;
mod device;
mod executor;
pub mod isa;
pub mod kernels;
mod memory;
mod ops;
pub mod quantize;
mod raw;
mod run;
mod tasks;
mod team;
mod value;

pub use device::{CpuConfig, CpuDevice, available_isas};
