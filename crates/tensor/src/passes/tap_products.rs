//! Makes what goes into products with weights visible as results of the graph, for those who study activations.

use crate::ops::{MatMul, Op};
use crate::{Graph, NodeId, Output, WeightId};

/// Where to see what a product was computed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProductTap {
    pub weight: WeightId,
    pub kind: MatMul,
    /// The result that shows the vectors, `[n_in, n_vectors, r]`.
    pub input: Output,
    /// Vectors in a row of the input.
    pub n_vectors: usize,
    /// The result that shows which experts each row went to, i32 `[n_used, r]`.
    pub experts: Option<Output>,
}

/// The same graph with [`Output::Tap`]s at the products with the wanted weights. Products of one input share a tap.
pub fn tap_products(graph: Graph, wanted: impl Fn(WeightId) -> bool) -> (Graph, Vec<ProductTap>) {
    let (nodes, mut outputs) = graph.into_parts();
    let mut tapped: Vec<NodeId> = Vec::new();
    let mut tap = |id: NodeId| {
        let index = tapped.iter().position(|t| *t == id).unwrap_or_else(|| {
            tapped.push(id);
            tapped.len() - 1
        });
        Output::Tap(index as u32)
    };
    let mut taps = Vec::new();
    for node in &nodes {
        let Op::MatMul(kind) = node.op else { continue };
        let Op::Weight(weight) = nodes[node.inputs[0].index()].op else { continue };
        if wanted(weight.id) {
            let input = node.inputs[1];
            taps.push(ProductTap {
                weight: weight.id,
                kind,
                input: tap(input),
                n_vectors: nodes[input.index()].shape.vectors(),
                experts: node.inputs.get(2).map(|ids| tap(*ids)),
            });
        }
    }
    outputs.extend(tapped.iter().enumerate().map(|(i, id)| (Output::Tap(i as u32), *id)));
    (Graph::from_parts(nodes, outputs), taps)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DType, Elem, Input, Rows, Shape, Weight};

    #[test]
    fn products_of_one_input_share_a_tap_and_others_are_left_alone() {
        let weight = |id: u32, dims: &[usize]| Weight {
            id: WeightId(id),
            shape: Shape::new(dims, Rows::Fixed),
            dtype: DType::F32,
        };
        let graph = Graph::new();
        let x = graph.input(Input::Import { index: 0, elem: Elem::F32 }, &[8]).silu();
        let q = x.matmul(weight(0, &[8, 4]));
        let k = x.matmul(weight(1, &[8, 4]));
        let ids = q.top_k(2);
        let e = x.reshape(&[8, 1]).matmul_experts(weight(2, &[8, 4, 4]), ids);
        let unwanted = k.matmul(weight(3, &[4, 4]));
        graph.output(Output::Logits, e);
        graph.output(Output::Embeddings, unwanted);
        let x = x.id();
        let (graph, taps) = tap_products(graph, |id| id.0 < 3);
        let seen: Vec<_> = taps.iter().map(|t| (t.weight.0, t.input, t.experts)).collect();
        let tap = Output::Tap;
        assert_eq!(seen, [(0, tap(0), None), (1, tap(0), None), (2, tap(1), Some(tap(2)))]);
        let (_, outputs) = graph.into_parts();
        assert_eq!(outputs.len(), 5);
        assert_eq!(outputs[2], (tap(0), x));
    }
}
