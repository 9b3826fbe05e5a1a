//! Element by element: unary functions, arithmetic with broadcast, gates.

use std::ops;

use super::Op;
use crate::{Rows, Tensor, Weight};

/// Functions of one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unary {
    /// `x * sigmoid(x)`.
    Silu,
    /// GELU by the tanh approximation (Hendrycks and Gimpel 2016). Argument and result are rounded to half precision
    /// below 10 and are the same above: so do the engines that models were judged with.
    Gelu,
    /// GELU by the error function.
    GeluErf,
    /// `x * sigmoid(1.702 x)`, rounded as [`Self::Gelu`].
    GeluQuick,
    Relu,
    /// `max(x, 0)^2`.
    ReluSquared,
    Sigmoid,
    Tanh,
    Exp,
    /// `ln(1 + exp(x))`.
    Softplus,
    Square,
    Sqrt,
    Neg,
}

/// Arithmetic of two tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Binary {
    Add,
    Sub,
    Mul,
    Div,
}

impl<'g> Tensor<'g> {
    pub fn unary(self, f: Unary) -> Self {
        self.op(Op::Unary(f), self.shape(), &[])
    }

    pub fn silu(self) -> Self {
        self.unary(Unary::Silu)
    }

    pub fn sigmoid(self) -> Self {
        self.unary(Unary::Sigmoid)
    }

    pub fn tanh(self) -> Self {
        self.unary(Unary::Tanh)
    }

    /// `mul * x`.
    pub fn scale(self, mul: f32) -> Self {
        self.affine(mul, 0.0)
    }

    /// `mul * x + add`.
    pub fn affine(self, mul: f32, add: f32) -> Self {
        self.op(Op::Affine { mul, add }, self.shape(), &[])
    }

    pub fn clamp(self, min: f32, max: f32) -> Self {
        self.op(Op::Clamp { min, max }, self.shape(), &[])
    }

    /// `f(self) * up`: the gated half of a feed-forward.
    #[track_caller]
    pub fn glu(self, f: Unary, up: Self) -> Self {
        assert_eq!(self.shape(), up.shape(), "glu");
        self.op(Op::Glu(f), self.shape(), &[up])
    }

    /// Softmax over `dims[0]`.
    pub fn softmax(self) -> Self {
        self.op(Op::Softmax, self.shape(), &[])
    }

    #[track_caller]
    fn binary(self, f: Binary, rhs: Self) -> Self {
        let (a, b) = (self.shape(), rhs.shape());
        let dims_fit = b.dims().iter().enumerate().all(|(i, &n)| n == 1 || n == a.dim(i));
        let rows_fit = b.rows() == Rows::Fixed || b.rows() == a.rows();
        assert!(dims_fit && rows_fit, "{f:?}: {b:?} does not broadcast to {a:?}");
        self.op(Op::Binary(f), a, &[rhs])
    }
}

macro_rules! operators {
    ($($operator:ident $method:ident),*) => {$(
        impl<'g> ops::$operator for Tensor<'g> {
            type Output = Self;
            #[track_caller]
            fn $method(self, rhs: Self) -> Self {
                self.binary(Binary::$operator, rhs)
            }
        }
        impl ops::$operator<Weight> for Tensor<'_> {
            type Output = Self;
            #[track_caller]
            fn $method(self, rhs: Weight) -> Self {
                self.binary(Binary::$operator, self.graph.weight(rhs))
            }
        }
    )*};
}

operators! { Add add, Sub sub, Mul mul, Div div }
