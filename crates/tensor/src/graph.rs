//! The graph of one step and the handle that builds it.
//!
//! Building never fails: weights were checked when they were loaded, so a wrong shape is a bug of the model file and
//! panics at its line.

use std::cell::RefCell;

use crate::ops::{Input, Op};
use crate::{DType, Elem, Rows, Shape};

/// Index of a node in its graph. Inputs always have smaller ids: node order is execution order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub u32);

impl NodeId {
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Index into the model's table of weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WeightId(pub u32);

/// A checked weight of the file: what a block holds on to between loading and building.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weight {
    pub id: WeightId,
    /// `Rows::Fixed`; dims as stored in the file.
    pub shape: Shape,
    pub dtype: DType,
}

/// One operation: what it does, on what, and the shape of what comes out.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub op: Op,
    pub inputs: Vec<NodeId>,
    pub shape: Shape,
    pub elem: Elem,
}

/// What a graph is run for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Output {
    /// `[n_vocab, n_outputs]`: scores of the next token.
    Logits,
    /// `[n_embd, n_outputs]`: final hidden states.
    Embeddings,
    /// A value another part of a split graph reads.
    Export(u32),
    /// A value in between that somebody wants to see.
    Tap(u32),
    /// Run for its effect on memory alone.
    Effect,
}

/// A directed acyclic graph of nodes in execution order.
#[derive(Debug, Default)]
pub struct Graph {
    nodes: RefCell<Vec<Node>>,
    outputs: RefCell<Vec<(Output, NodeId)>>,
}

impl Graph {
    pub fn new() -> Self {
        Self::default()
    }

    /// The ids of the tokens, `[n_tokens]`.
    pub fn tokens(&self) -> Tensor<'_> {
        self.input(Input::Tokens, &[])
    }

    /// A value from outside. Asking twice gives the same node.
    pub fn input(&self, input: Input, dims: &[usize]) -> Tensor<'_> {
        let elem = input.elem();
        self.shared(Node {
            op: Op::Input(input),
            inputs: vec![],
            shape: Shape::new(dims, Rows::Tokens),
            elem,
        })
    }

    /// A weight as an operand. Asking twice gives the same node.
    pub fn weight(&self, weight: Weight) -> Tensor<'_> {
        let elem = match weight.dtype {
            DType::I32 => Elem::I32,
            _ => Elem::F32,
        };
        self.shared(Node { op: Op::Weight(weight), inputs: vec![], shape: weight.shape, elem })
    }

    /// Names a result of the graph.
    pub fn output(&self, output: Output, tensor: Tensor<'_>) {
        self.outputs.borrow_mut().push((output, tensor.id));
    }

    /// The finished graph's parts: nodes in execution order, and the results.
    pub fn into_parts(self) -> (Vec<Node>, Vec<(Output, NodeId)>) {
        (self.nodes.into_inner(), self.outputs.into_inner())
    }

    /// A graph from parts, as the passes make them.
    pub fn from_parts(nodes: Vec<Node>, outputs: Vec<(Output, NodeId)>) -> Self {
        Self { nodes: RefCell::new(nodes), outputs: RefCell::new(outputs) }
    }

    pub(crate) fn push(&self, node: Node) -> Tensor<'_> {
        let mut nodes = self.nodes.borrow_mut();
        let id = NodeId(u32::try_from(nodes.len()).expect("a graph has far fewer than 2^32 nodes"));
        nodes.push(node);
        Tensor { graph: self, id }
    }

    /// Pushes a node unless an equal one exists. For leaves and what depends on leaves alone.
    pub(crate) fn shared(&self, node: Node) -> Tensor<'_> {
        let found = self.nodes.borrow().iter().position(|n| *n == node);
        match found {
            Some(i) => Tensor { graph: self, id: NodeId(i as u32) },
            None => self.push(node),
        }
    }
}

/// A node of the graph under construction: a copyable handle with operators.
#[derive(Clone, Copy, Debug)]
pub struct Tensor<'g> {
    pub(crate) graph: &'g Graph,
    pub(crate) id: NodeId,
}

impl<'g> Tensor<'g> {
    pub fn shape(self) -> Shape {
        self.graph.nodes.borrow()[self.id.index()].shape
    }

    pub fn elem(self) -> Elem {
        self.graph.nodes.borrow()[self.id.index()].elem
    }

    /// Fixed extent `i` of the row.
    pub fn dim(self, i: usize) -> usize {
        self.shape().dim(i)
    }

    pub fn id(self) -> NodeId {
        self.id
    }

    pub fn graph(self) -> &'g Graph {
        self.graph
    }

    /// A float node of this tensor and `rest`.
    pub(crate) fn op(self, op: Op, shape: Shape, rest: &[Self]) -> Self {
        self.op_of(op, shape, Elem::F32, rest)
    }

    pub(crate) fn op_of(self, op: Op, shape: Shape, elem: Elem, rest: &[Self]) -> Self {
        let inputs = std::iter::once(self.id).chain(rest.iter().map(|t| t.id)).collect();
        self.graph.push(Node { op, inputs, shape, elem })
    }
}
