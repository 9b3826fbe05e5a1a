//! The language of models: shapes, ops, graphs, passes, memory plan.
//!
//! Knows no file, device, thread or kernel. A model is written down once as a [`Graph`] whose row counts are
//! symbolic; backends compile it once and run it for any batch.

mod graph;
mod memory;
mod ops;
pub mod passes;
mod plan;
mod shape;

pub use graph::{Graph, Node, NodeId, Output, Tensor, Weight, WeightId};
pub use memory::{MemoryId, MemorySpec, Timeline, ValueStore};
pub use ops::{
    Attention, Binary, Choose, Chosen, Compress, Conv1d, Input, Mask, MatMul, Norm, NormKind, Op, Pool,
    Positions, Reduce, RelativeBias, Rope, RopeOrder, RopeTable, Scores, SsmScan, Temperature, Unary,
};
pub use plan::{Lifetime, Slot, plan_arena};
pub use quant::{self, DType};
pub use shape::{Elem, Extents, Rows, Shape};
