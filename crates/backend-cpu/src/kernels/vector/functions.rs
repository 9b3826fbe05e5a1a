//! Elementary and activation functions on vectors, accurate to about 1e-7 of the result.

use std::marker::PhantomData;

use super::Step;
use crate::isa::Isa;

/// From here on GELU gives its argument back.
pub(crate) const IDENTITY_FROM: f32 = 10.0;

/// An activation function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Activation {
    /// `exp(x)`
    Exp,
    /// `1 / (1 + exp(-x))`
    Sigmoid,
    /// `tanh(x)`
    Tanh,
    /// `x * sigmoid(x)`
    Silu,
    /// `x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3)))`, in half precision
    GeluTanh,
    /// `x / 2 * (1 + erf(x / sqrt(2)))`
    GeluErf,
    /// `x * sigmoid(1.702 x)`, in half precision
    GeluQuick,
    /// `max(x, 0)`
    Relu,
    /// `max(x, 0)^2`
    ReluSquared,
}

/// Evaluates an expression with `$F` as the [`Function`] of an [`Activation`].
macro_rules! for_activation {
    ($f:expr, $F:ident => $do:expr) => {
        functions::for_activation!($f, $F => $do, [
            Exp, Sigmoid, Tanh, Silu, GeluTanh, GeluErf, GeluQuick, Relu, ReluSquared
        ])
    };
    ($f:expr, $F:ident => $do:expr, [$($name:ident),*]) => {
        match $f {
            $(Activation::$name => {
                type $F = functions::$name;
                $do
            })*
        }
    };
}
pub(super) use for_activation;

/// A function on each lane.
pub(super) trait Function: 'static {
    fn of<I: Isa>(isa: I, x: I::F32) -> I::F32;
}

macro_rules! functions {
    ($($name:ident: |$isa:ident, $x:ident| $body:expr;)*) => {$(
        pub(super) enum $name {}

        impl Function for $name {
            #[inline(always)]
            fn of<I: Isa>($isa: I, $x: I::F32) -> I::F32 {
                $body
            }
        }
    )*};
}

/// Rounded to half precision.
#[inline(always)]
fn half<I: Isa>(isa: I, x: I::F32) -> I::F32 {
    let mut bits = [0; 32];
    isa.store_f16(x, &mut bits);
    isa.load_f16(&bits)
}

/// `y` in half precision, but `x` where the function is the identity. Models were judged, and their answers recorded,
/// with engines that look these functions up in a table of half floats.
#[inline(always)]
fn half_or_identity<I: Isa>(isa: I, x: I::F32, y: I::F32) -> I::F32 {
    isa.select_less(x, isa.splat(IDENTITY_FROM), half(isa, y), x)
}

functions! {
    Exp: |isa, x| exp(isa, x);
    Sigmoid: |isa, x| over_one_plus_exp(isa, isa.splat(1.0), x, -1.0);
    Tanh: |isa, x| tanh(isa, x);
    Silu: |isa, x| over_one_plus_exp(isa, x, x, -1.0);
    GeluTanh: |isa, x| {
        let h = half(isa, x);
        let cube = isa.add(isa.splat(1.0), isa.mul(isa.mul(isa.splat(0.044_715), h), h));
        let inner = isa.mul(isa.mul(isa.splat(0.797_884_6), h), cube);
        let one_plus = isa.add(isa.splat(1.0), tanh(isa, inner));
        half_or_identity(isa, x, isa.mul(isa.mul(h, isa.splat(0.5)), one_plus))
    };
    GeluErf: |isa, x| isa.mul(x, normal_cdf(isa, x));
    GeluQuick: |isa, x| {
        let h = half(isa, x);
        half_or_identity(isa, x, over_one_plus_exp(isa, h, h, -1.702))
    };
    Relu: |isa, x| isa.max(isa.splat(0.0), x);
    ReluSquared: |isa, x| {
        let x = isa.max(isa.splat(0.0), x);
        isa.mul(x, x)
    };
}

/// A function of a row.
pub(super) struct Apply<F>(pub(super) PhantomData<F>);
/// A function of a row times another row.
pub(super) struct ApplyGated<F>(pub(super) PhantomData<F>);

impl<F> Clone for Apply<F> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<F> Copy for Apply<F> {}
impl<F> Clone for ApplyGated<F> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<F> Copy for ApplyGated<F> {}

impl<F: Function> Step for Apply<F> {
    #[inline(always)]
    fn step<I: Isa>(self, isa: I, y: I::F32, _: I::F32) -> I::F32 {
        F::of(isa, y)
    }
}

impl<F: Function> Step for ApplyGated<F> {
    #[inline(always)]
    fn step<I: Isa>(self, isa: I, y: I::F32, up: I::F32) -> I::F32 {
        isa.mul(F::of(isa, y), up)
    }
}

/// `y / (1 + exp(factor * x))`
#[inline(always)]
fn over_one_plus_exp<I: Isa>(isa: I, y: I::F32, x: I::F32, factor: f32) -> I::F32 {
    isa.div(y, isa.add(isa.splat(1.0), exp(isa, isa.mul(x, isa.splat(factor)))))
}

/// `c[0] + c[1] x + c[2] x^2 + ..`
#[inline(always)]
fn polynomial<I: Isa, const N: usize>(isa: I, x: I::F32, c: [f32; N]) -> I::F32 {
    let mut sum = isa.splat(c[N - 1]);
    for c in c[..N - 1].iter().rev() {
        sum = isa.fma(sum, x, isa.splat(*c));
    }
    sum
}

/// `e^x`: exact 0 below -86.98, where results leave the normal range; infinite above 88.72.
#[inline(always)]
pub(crate) fn exp<I: Isa>(isa: I, x: I::F32) -> I::F32 {
    const LOWEST: f32 = -86.98;
    // ln 2 in two parts, so that n * the first is exact.
    const LN2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    // In this order NaN passes both bounds.
    let bounded = isa.min(isa.splat(89.0), isa.max(isa.splat(LOWEST), x));
    let n = isa.round(isa.mul(bounded, isa.splat(std::f32::consts::LOG2_E)));
    let n_f32 = isa.to_f32(n);
    let r = isa.fma(n_f32, isa.splat(-LN2[0]), bounded);
    let r = isa.fma(n_f32, isa.splat(-LN2[1]), r);
    // e^r for |r| <= ln 2 / 2; Cephes, expf.
    let tail = [0.5, 0.166_666_66, 0.041_665_795, 8.333_452e-3, 1.398_2e-3, 1.987_569_2e-4];
    let tail = polynomial(isa, r, tail);
    let e = isa.add(isa.fma(isa.mul(r, r), tail, r), isa.splat(1.0));
    // 2^n as 2 * 2^(n - 1), as n may be 128.
    let power = isa.exp2_int(isa.add_i32(n, isa.splat_i32(-1)));
    let e = isa.mul(isa.mul(e, power), isa.splat(2.0));
    isa.select_less(x, isa.splat(LOWEST), isa.splat(0.0), e)
}

#[inline(always)]
pub(crate) fn tanh<I: Isa>(isa: I, x: I::F32) -> I::F32 {
    // Odd polynomial near 0, where the other form cancels.
    let sq = isa.mul(x, x);
    let near = [1.0, -0.333_333_34, 0.133_333_34, -0.053_968_254, 0.021_869_488, -8.863_236e-3];
    let near = isa.mul(x, polynomial(isa, sq, near));
    let two = isa.splat(2.0);
    let far = isa.sub(over_one_plus_exp(isa, two, x, -2.0), isa.splat(1.0));
    isa.select_less(isa.abs(x), isa.splat(0.3), near, far)
}

/// The normal distribution function, `(1 + erf(x / sqrt(2))) / 2`.
///
/// Both tails come from `erfc`, whose relative error is about 1e-7, so that nothing cancels below 0. The
/// polynomial is that of Numerical Recipes, `erfcc`.
#[inline(always)]
fn normal_cdf<I: Isa>(isa: I, x: I::F32) -> I::F32 {
    let one = isa.splat(1.0);
    let z = isa.mul(isa.abs(x), isa.splat(std::f32::consts::FRAC_1_SQRT_2));
    let t = isa.div(one, isa.fma(z, isa.splat(0.5), one));
    let exponent = [
        -1.265_512_2,
        1.000_023_7,
        0.374_091_96,
        0.096_784_18,
        -0.186_288_06,
        0.278_868_08,
        -1.135_204,
        1.488_515_9,
        -0.822_152_2,
        0.170_872_77,
    ];
    let exponent = isa.sub(polynomial(isa, t, exponent), isa.mul(z, z));
    let tail = isa.mul(isa.mul(t, isa.splat(0.5)), exp(isa, exponent));
    isa.select_less(x, isa.splat(0.0), tail, isa.sub(one, tail))
}
