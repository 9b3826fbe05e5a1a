//! Removes nodes that neither a result nor a memory needs.

use crate::{Graph, Node, NodeId};

/// The same graph without dead nodes.
pub fn remove_dead(graph: Graph) -> Graph {
    let (nodes, outputs) = graph.into_parts();
    let mut live: Vec<bool> = nodes.iter().map(|n| n.op.has_effect()).collect();
    for (_, id) in &outputs {
        live[id.index()] = true;
    }
    for i in (0..nodes.len()).rev() {
        if live[i] {
            for input in &nodes[i].inputs {
                live[input.index()] = true;
            }
        }
    }
    let mut new_id = vec![NodeId(0); nodes.len()];
    let mut kept: Vec<Node> = Vec::with_capacity(nodes.len());
    for (i, mut node) in nodes.into_iter().enumerate() {
        if live[i] {
            new_id[i] = NodeId(kept.len() as u32);
            for input in &mut node.inputs {
                *input = new_id[input.index()];
            }
            kept.push(node);
        }
    }
    Graph::from_parts(kept, outputs.into_iter().map(|(o, id)| (o, new_id[id.index()])).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MemoryId, Output};

    #[test]
    fn what_nobody_reads_goes_and_what_changes_memory_stays() {
        let graph = Graph::new();
        let x = graph.input(crate::Input::Import { index: 0, elem: crate::Elem::F32 }, &[4]);
        let dead = x.silu().tanh();
        let kept = x.sigmoid();
        x.token_shift(MemoryId(0));
        graph.output(Output::Logits, kept);
        let _ = dead;
        let (nodes, outputs) = remove_dead(graph).into_parts();
        let ops: Vec<_> = nodes.iter().map(|n| format!("{:?}", n.op)).collect();
        assert_eq!(ops.len(), 3, "{ops:?}");
        assert_eq!(outputs, [(Output::Logits, NodeId(1))]);
        assert_eq!(nodes[2].inputs, [NodeId(0)]);
    }
}
