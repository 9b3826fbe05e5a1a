//! What one forward pass offers to architectures: inputs, memories, the hook every layer passes through.

use std::cell::Cell;

use tensor::{Chosen, Graph, Input, MemoryId, MemorySpec, Positions, Tensor};

use crate::{Mode, NamedMemory};

/// The graph under construction and what it is built for.
#[derive(Debug)]
pub(crate) struct Step<'g> {
    pub(crate) graph: &'g Graph,
    pub(crate) mode: Mode,
    memories: &'g [NamedMemory],
    /// The last choice of an indexer, for later layers that share it.
    pub(crate) chosen: Cell<Option<(Chosen, Tensor<'g>)>>,
}

impl<'g> Step<'g> {
    pub(crate) fn new(graph: &'g Graph, mode: Mode, memories: &'g [NamedMemory]) -> Self {
        Self { graph, mode, memories, chosen: Cell::new(None) }
    }

    /// i32 `[n_tokens]`.
    pub(crate) fn tokens(&self) -> Tensor<'g> {
        self.graph.tokens()
    }

    /// i32 `[n_tokens]`: places in the sequence.
    pub(crate) fn positions(&self) -> Tensor<'g> {
        self.graph.input(Input::Positions(Positions::Linear), &[1]).reshape(&[])
    }

    /// Appends keys and values to memory; the handle reads it afterwards.
    pub(crate) fn append_kv(&self, id: MemoryId, k: Tensor<'g>, v: Option<Tensor<'g>>) -> Tensor<'g> {
        k.append_kv(id, self.spec(id), v)
    }

    pub(crate) fn spec(&self, id: MemoryId) -> &'g MemorySpec {
        &self.memories[id.0 as usize].spec
    }

    /// Where control vectors and taps of draft heads will attach; every layer's result passes through.
    #[expect(clippy::unused_self, reason = "the hook needs the step once it has taps")]
    pub(crate) fn layer_output(&self, x: Tensor<'g>) -> Tensor<'g> {
        x
    }
}
