//! Moves the selection of output rows up through row-wise ops, so that the last layer computes only the rows whose
//! results are wanted. Architectures select just before the head and need not know.

use std::collections::HashMap;

use crate::ops::Op;
use crate::{Graph, Node, NodeId, Rows};

/// The same results from fewer rows.
pub fn hoist_outputs(graph: Graph) -> Graph {
    let (nodes, outputs) = graph.into_parts();
    let movable = movable(&nodes, &outputs.iter().map(|(_, id)| *id).collect::<Vec<_>>());
    let mut hoist =
        Hoist { old: &nodes, movable, new: Vec::new(), full: HashMap::new(), selected: HashMap::new() };
    for (i, node) in nodes.iter().enumerate() {
        if node.op.has_effect() {
            hoist.full(NodeId(i as u32));
        }
    }
    let outputs = outputs.into_iter().map(|(output, id)| (output, hoist.full(id))).collect();
    Graph::from_parts(hoist.new, outputs)
}

/// Whether each node may be computed for output rows alone: it is row-wise and everyone who reads it is a selection
/// or itself movable.
fn movable(nodes: &[Node], roots: &[NodeId]) -> Vec<bool> {
    let mut movable: Vec<bool> =
        nodes.iter().map(|n| n.op.is_row_wise() && n.shape.rows() == Rows::Tokens).collect();
    for root in roots {
        movable[root.index()] = false;
    }
    for i in (0..nodes.len()).rev() {
        let selects = matches!(nodes[i].op, Op::SelectOutputs);
        if !selects && !movable[i] {
            for input in &nodes[i].inputs {
                movable[input.index()] = false;
            }
        }
    }
    movable
}

struct Hoist<'a> {
    old: &'a [Node],
    movable: Vec<bool>,
    new: Vec<Node>,
    /// Old node -> new node with all its rows.
    full: HashMap<NodeId, NodeId>,
    /// Old node -> new node with the output rows.
    selected: HashMap<NodeId, NodeId>,
}

impl Hoist<'_> {
    fn push(&mut self, node: Node) -> NodeId {
        self.new.push(node);
        NodeId(self.new.len() as u32 - 1)
    }

    /// The new node of `id`, computing what it needs first. Depth is bounded by an explicit stack: graphs of deep
    /// models are far deeper than a thread's stack is long.
    fn full(&mut self, id: NodeId) -> NodeId {
        let mut stack = vec![(id, false)];
        while let Some(&(id, selected)) = stack.last() {
            if self.done(id, selected).is_some() {
                stack.pop();
                continue;
            }
            let pending: Vec<_> =
                self.needs(id, selected).into_iter().filter(|&(i, s)| self.done(i, s).is_none()).collect();
            if pending.is_empty() {
                self.build(id, selected);
                stack.pop();
            } else {
                stack.extend(pending.into_iter().rev());
            }
        }
        self.full[&id]
    }

    fn done(&self, id: NodeId, selected: bool) -> Option<NodeId> {
        if selected { self.selected.get(&id).copied() } else { self.full.get(&id).copied() }
    }

    /// What must exist before `id` can be built.
    fn needs(&self, id: NodeId, selected: bool) -> Vec<(NodeId, bool)> {
        let node = &self.old[id.index()];
        if selected && !self.movable[id.index()] {
            return vec![(id, false)];
        }
        let selects = selected || matches!(node.op, Op::SelectOutputs);
        node.inputs
            .iter()
            .map(|&i| (i, selects && self.old[i.index()].shape.rows() == Rows::Tokens))
            .collect()
    }

    fn build(&mut self, id: NodeId, selected: bool) {
        let node = &self.old[id.index()];
        if selected && !self.movable[id.index()] {
            let full = self.full[&id];
            let new = self.push(Node {
                op: Op::SelectOutputs,
                inputs: vec![full],
                shape: node.shape.with_rows(Rows::Outputs),
                elem: node.elem,
            });
            self.selected.insert(id, new);
            return;
        }
        if matches!(node.op, Op::SelectOutputs) {
            self.full.insert(id, self.selected[&node.inputs[0]]);
            return;
        }
        let inputs = self
            .needs(id, selected)
            .into_iter()
            .map(|(i, s)| self.done(i, s).expect("built before its reader"))
            .collect();
        let shape = if selected { node.shape.with_rows(Rows::Outputs) } else { node.shape };
        let new = self.push(Node { op: node.op.clone(), inputs, shape, elem: node.elem });
        if selected {
            self.selected.insert(id, new)
        } else {
            self.full.insert(id, new)
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passes::remove_dead;
    use crate::{Elem, Input, MemoryId, Output, Unary};

    /// Each node as `op rows`, in order.
    fn check(build: impl FnOnce(&Graph), want: &[&str]) {
        let graph = Graph::new();
        build(&graph);
        let (nodes, _) = remove_dead(hoist_outputs(graph)).into_parts();
        let got: Vec<_> = nodes.iter().map(|n| format!("{:?} {:?}", n.op, n.shape.rows())).collect();
        assert_eq!(got, want);
    }

    fn import(graph: &Graph) -> crate::Tensor<'_> {
        graph.input(Input::Import { index: 0, elem: Elem::F32 }, &[4])
    }

    #[test]
    fn selection_moves_above_row_wise_ops_and_is_made_once() {
        let input = "Input(Import { index: 0, elem: F32 }) Tokens";
        check(
            |g| {
                let x = import(g);
                g.output(Output::Logits, (x.silu() + x).unary(Unary::Tanh).select_outputs());
            },
            &[
                input,
                "SelectOutputs Outputs",
                "Unary(Silu) Outputs",
                "Binary(Add) Outputs",
                "Unary(Tanh) Outputs",
            ],
        );
        check(
            |g| {
                let x = import(g);
                let shifted = x.silu().token_shift(MemoryId(0));
                g.output(Output::Logits, shifted.tanh().select_outputs());
            },
            &[
                input,
                "Unary(Silu) Tokens",
                "TokenShift { memory: MemoryId(0) } Tokens",
                "SelectOutputs Outputs",
                "Unary(Tanh) Outputs",
            ],
        );
    }
}
