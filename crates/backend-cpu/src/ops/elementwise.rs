//! Functions of single numbers and pairs of them.

use tensor::{Binary, Unary};

use crate::kernels::IDENTITY_FROM;

/// The scalar definition of each function.
pub(crate) fn value(f: Unary, x: f32) -> f32 {
    /// `sqrt(2 / pi)`.
    const SQRT_2_OVER_PI: f32 = 0.797_884_6;
    match f {
        Unary::Silu => x / (1.0 + (-x).exp()),
        Unary::Gelu => {
            in_half(x, |x| 0.5 * x * (1.0 + (SQRT_2_OVER_PI * x * (1.0 + 0.044_715 * x * x)).tanh()))
        }
        Unary::GeluErf => 0.5 * x * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2)),
        Unary::GeluQuick => in_half(x, |x| x / (1.0 + (-1.702 * x).exp())),
        Unary::Relu => x.max(0.0),
        Unary::ReluSquared => x.max(0.0) * x.max(0.0),
        Unary::Sigmoid => 1.0 / (1.0 + (-x).exp()),
        Unary::Tanh => x.tanh(),
        Unary::Exp => x.exp(),
        Unary::Softplus => softplus(x),
        Unary::Square => x * x,
        Unary::Sqrt => x.sqrt(),
        Unary::Neg => -x,
    }
}

/// Rounds argument and result to half precision, up to where the function is the identity. NaN stays NaN.
fn in_half(x: f32, f: impl Fn(f32) -> f32) -> f32 {
    let half = |x| half::f16::from_f32(x).to_f32();
    if x < IDENTITY_FROM { half(f(half(x))) } else { x }
}

/// `ln(1 + exp(x))` without overflow.
pub(crate) fn softplus(x: f32) -> f32 {
    if x > 20.0 { x } else { x.exp().ln_1p() }
}

/// The error function to float32 precision: a series near zero, a continued fraction beyond.
fn erf(x: f32) -> f32 {
    let x = f64::from(x);
    let a = x.abs();
    let y = if a < 2.5 {
        let (mut term, mut sum) = (a, a);
        for n in 1..60 {
            let n = f64::from(n);
            term *= -a * a / n;
            sum += term / (2.0 * n + 1.0);
        }
        sum * std::f64::consts::FRAC_2_SQRT_PI
    } else {
        let mut f = 0.0;
        for k in (1..=40).rev() {
            f = f64::from(k) / 2.0 / (a + f);
        }
        1.0 - (-a * a).exp() / (std::f64::consts::PI.sqrt() * (a + f))
    };
    (y * x.signum()) as f32
}

pub(crate) fn unary(f: Unary, x: &[f32], y: &mut [f32]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y = value(f, *x);
    }
}

pub(crate) fn affine(mul: f32, add: f32, x: &[f32], y: &mut [f32]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y = mul * x + add;
    }
}

pub(crate) fn clamp(min: f32, max: f32, x: &[f32], y: &mut [f32]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y = x.max(min).min(max);
    }
}

pub(crate) fn glu(f: Unary, gate: &[f32], up: &[f32], y: &mut [f32]) {
    for ((y, gate), up) in y.iter_mut().zip(gate).zip(up) {
        *y = value(f, *gate) * up;
    }
}

/// `b` of one element repeats.
pub(crate) fn binary(f: Binary, a: &[f32], b: &[f32], y: &mut [f32]) {
    match f {
        Binary::Add => pairs(a, b, y, |a, b| a + b),
        Binary::Sub => pairs(a, b, y, |a, b| a - b),
        Binary::Mul => pairs(a, b, y, |a, b| a * b),
        Binary::Div => pairs(a, b, y, |a, b| a / b),
    }
}

fn pairs(a: &[f32], b: &[f32], y: &mut [f32], f: impl Fn(f32, f32) -> f32) {
    if let [b] = b {
        for (y, a) in y.iter_mut().zip(a) {
            *y = f(*a, *b);
        }
    } else {
        for ((y, a), b) in y.iter_mut().zip(a).zip(b) {
            *y = f(*a, *b);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_have_their_known_values() {
        let cases = [
            (Unary::Silu, 1.0, 0.731_058_6),
            (Unary::Gelu, 1.0, 0.841_308_6),
            (Unary::Gelu, 12.34567, 12.34567),
            (Unary::GeluErf, 1.0, 0.841_344_7),
            (Unary::GeluErf, -4.0, -1.266_9e-4),
            (Unary::GeluQuick, 1.0, 0.845_703_1),
            (Unary::ReluSquared, 3.0, 9.0),
            (Unary::Softplus, 30.0, 30.0),
            (Unary::Softplus, 0.0, std::f32::consts::LN_2),
            (Unary::Silu, -200.0, 0.0),
        ];
        for (f, x, want) in cases {
            let got = value(f, x);
            assert!((got - want).abs() <= 2e-6 * want.abs().max(0.1), "{f:?}({x}) = {got}, want {want}");
        }
    }
}
