//! The temperature of attention at a position: queries far from the start are made sharper (Llama 4).

use super::{Input, Op, Positions};
use crate::{Elem, Graph, Node, Rows, Shape, Tensor};

/// `positions -> [1, r]`: `1 + scale * ln(floor((position + offset) / period) + 1)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Temperature {
    pub scale: f32,
    pub offset: f32,
    pub period: f32,
}

impl Graph {
    /// The factors of a step; the same parameters give the same node.
    pub fn temperature(&self, temperature: Temperature) -> Tensor<'_> {
        let positions = self.input(Input::Positions(Positions::Linear), &[1]);
        let (op, shape) = (Op::Temperature(temperature), Shape::new(&[1], Rows::Tokens));
        self.shared(Node { op, inputs: vec![positions.id], shape, elem: Elem::F32 })
    }
}
