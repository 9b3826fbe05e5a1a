//! A device that rounds GELU as the reference engine does: it looks the function up in a table of half floats, so both
//! its argument and its value have eleven significant bits. Without this, T5, whose scores are not scaled, differs from
//! the reference by more than any mistake that a test should find.

use std::sync::Arc;

use backend::{Buffer, Bytes, Device, DeviceInfo, Executor, Memory, MemoryLayout, Part, Result};
use tensor::{Binary, Node, NodeId, Op, Output, Unary, Weight};

#[derive(Debug)]
pub(crate) struct HalfGelu(pub(crate) Arc<dyn Device>);

impl Device for HalfGelu {
    fn info(&self) -> DeviceInfo {
        self.0.info()
    }

    fn supports(&self, node: &Node, inputs: &[&Node]) -> bool {
        self.0.supports(node, inputs)
    }

    fn load(&self, weight: &Weight, data: Bytes) -> Result<Arc<dyn Buffer>> {
        self.0.load(weight, data)
    }

    fn memory(&self, layouts: &[MemoryLayout]) -> Result<Arc<dyn Memory>> {
        self.0.memory(layouts)
    }

    fn compile(&self, part: Part<'_>) -> Result<Box<dyn Executor>> {
        let mut rounded = Rounded::default();
        for node in part.nodes {
            rounded.push(node);
        }
        let outputs: Vec<(Output, NodeId)> =
            part.outputs.iter().map(|&(output, id)| (output, rounded.new_ids[id.index()])).collect();
        self.0.compile(Part { nodes: &rounded.nodes, outputs: &outputs, ..part })
    }
}

/// The nodes of a graph with each GELU between two roundings.
#[derive(Default)]
struct Rounded {
    nodes: Vec<Node>,
    new_ids: Vec<NodeId>,
}

impl Rounded {
    fn push(&mut self, node: &Node) {
        let inputs: Vec<NodeId> = node.inputs.iter().map(|i| self.new_ids[i.index()]).collect();
        let id = match node.op {
            Op::Unary(Unary::Gelu) => self.gelu(node, inputs[0]),
            Op::Glu(Unary::Gelu) => {
                let gate = self.gelu(node, inputs[0]);
                self.node(node, Op::Binary(Binary::Mul), &[gate, inputs[1]])
            }
            _ => self.node(node, node.op.clone(), &inputs),
        };
        self.new_ids.push(id);
    }

    fn gelu(&mut self, like: &Node, x: NodeId) -> NodeId {
        let x = self.round(like, x);
        let y = self.node(like, Op::Unary(Unary::Gelu), &[x]);
        self.round(like, y)
    }

    /// To eleven bits, by Veltkamp's splitting.
    fn round(&mut self, like: &Node, x: NodeId) -> NodeId {
        let large = self.node(like, Op::Affine { mul: 8193.0, add: 0.0 }, &[x]);
        let rest = self.node(like, Op::Binary(Binary::Sub), &[large, x]);
        self.node(like, Op::Binary(Binary::Sub), &[large, rest])
    }

    fn node(&mut self, like: &Node, op: Op, inputs: &[NodeId]) -> NodeId {
        self.nodes.push(Node { op, inputs: inputs.to_vec(), shape: like.shape, elem: like.elem });
        NodeId(self.nodes.len() as u32 - 1)
    }
}
