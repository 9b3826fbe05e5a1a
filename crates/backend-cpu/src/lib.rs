//! The CPU device: a team of threads, kernels, instruction sets.

pub mod isa;
pub mod kernels;
pub mod quantize;
