//! Row kernels of every instruction set against the plain definition. Not the ops that use them.
use tensor::Unary;

use super::*;
use crate::isa::Kind;
use crate::ops::elementwise::value;

fn each_isa() -> impl Iterator<Item = Kernels> {
    Kind::ALL.into_iter().filter_map(Kernels::for_isa)
}

fn row(n: usize, seed: usize) -> Vec<f32> {
    (0..n).map(|i| ((i * 7 + seed * 13 + 1) as f32 * 0.618).sin() * 2.0).collect()
}

#[track_caller]
fn close(kernels: Kernels, found: f32, expected: f64, tolerance: f64) {
    let off = (f64::from(found) - expected).abs();
    assert!(off <= tolerance, "{kernels:?}: {found} instead of {expected} ± {tolerance}");
}

#[test]
fn reductions_agree_with_exact_sums() {
    for kernels in each_isa() {
        for n in [1, 3, 15, 16, 17, 63, 64, 65, 127, 200, 1000] {
            let a = row(n, 1);
            let exact = |f: &dyn Fn(usize) -> f64| (0..n).map(f).sum::<f64>();
            let tolerance = 1e-6 * n as f64;
            close(kernels, kernels.sum(&a), exact(&|i| f64::from(a[i])), tolerance);
            close(kernels, kernels.sum_sq(&a), exact(&|i| f64::from(a[i]).powi(2)), tolerance);
            close(
                kernels,
                kernels.sum_sq_about(&a, 0.5),
                exact(&|i| (f64::from(a[i]) - 0.5).powi(2)),
                tolerance,
            );
            assert_eq!(kernels.max(&a), a.iter().copied().fold(f32::NEG_INFINITY, f32::max));
        }
        assert_eq!(kernels.max(&[]), f32::NEG_INFINITY);
        assert_eq!(kernels.sum(&[]), 0.0);
    }
}

#[test]
fn rows_change_as_told() {
    for kernels in each_isa() {
        for n in [1, 16, 37, 64] {
            let (x, with) = (row(n, 1), row(n, 2));
            let made = |make: &dyn Fn(&mut [f32])| {
                let mut out = vec![f32::NAN; n];
                make(&mut out);
                out
            };
            let sum = made(&|out| kernels.add(&x, &with, out));
            let product = made(&|out| kernels.mul(&x, &with, out));
            let affine = made(&|out| kernels.affine(0.5, 3.0, &x, out));
            let scaled = made(&|out| {
                out.copy_from_slice(&x);
                kernels.scale(3.0, out);
            });
            for i in 0..n {
                let (x, with) = (f64::from(x[i]), f64::from(with[i]));
                close(kernels, sum[i], x + with, 1e-6);
                close(kernels, product[i], x * with, 1e-6);
                close(kernels, affine[i], 0.5 * x + 3.0, 1e-6);
                close(kernels, scaled[i], 3.0 * x, 1e-6);
            }
        }
    }
}

#[test]
fn norms_have_their_moments() {
    for kernels in each_isa() {
        for n in [5, 64, 300] {
            let (x, weight) = (row(n, 3), row(n, 4));
            let mean = x.iter().map(|&x| f64::from(x)).sum::<f64>() / n as f64;
            let square = x.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / n as f64;
            let mut out = vec![0.0; n];
            kernels.rms_norm(&x, 1e-5, Some(&weight), &mut out);
            for i in 0..n {
                close(kernels, out[i], f64::from(x[i]) / (square + 1e-5).sqrt() * f64::from(weight[i]), 2e-6);
            }
            kernels.layer_norm(&x, 1e-5, None, &mut out);
            for i in 0..n {
                let expected = (f64::from(x[i]) - mean) / (square - mean * mean + 1e-5).sqrt();
                close(kernels, out[i], expected, 2e-6);
            }
        }
    }
}

#[test]
fn softmax_sums_to_one_and_masks_exactly() {
    for kernels in each_isa() {
        for n in [1, 2, 16, 50, 333] {
            let mut x = row(n, 5);
            if n > 2 {
                x[1] = f32::NEG_INFINITY;
            }
            let top = x.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let weights: Vec<f64> = x.iter().map(|&x| f64::from(x - top).exp()).collect();
            let sum: f64 = weights.iter().sum();
            kernels.softmax(&mut x);
            for (x, w) in x.iter().zip(&weights) {
                close(kernels, *x, w / sum, 3e-7 * w / sum);
            }
        }
    }
}

/// `erf` by its Taylor series, in double precision.
fn erf(x: f64) -> f64 {
    let (mut term, mut sum) = (x, x);
    for n in 1..200 {
        term *= -x * x / f64::from(n);
        sum += term / f64::from(2 * n + 1);
    }
    sum * std::f64::consts::FRAC_2_SQRT_PI
}

fn exact(f: Activation, x: f64) -> f64 {
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    match f {
        Activation::Exp => x.exp(),
        Activation::Sigmoid => sigmoid(x),
        Activation::Tanh => x.tanh(),
        Activation::Silu => x * sigmoid(x),
        Activation::GeluTanh => {
            x / 2.0 * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x * x * x)).tanh())
        }
        Activation::GeluErf => x / 2.0 * (1.0 + erf(x.clamp(-6.0, 6.0) / 2f64.sqrt())),
        Activation::GeluQuick => x * sigmoid(1.702 * x),
        Activation::Relu => x.max(0.0),
        Activation::ReluSquared => x.max(0.0).powi(2),
    }
}

#[test]
fn functions_are_accurate() {
    use Activation::*;
    for kernels in each_isa() {
        for f in [Exp, Sigmoid, Tanh, Silu, GeluTanh, GeluErf, GeluQuick, Relu, ReluSquared] {
            let x: Vec<f32> =
                (-3000..3000).map(|i| i as f32 / 300.0).chain([0.0, 1e-5, -1e-3, 20.0, -20.0]).collect();
            let up = row(x.len(), 6);
            let (mut y, mut gated) = (x.clone(), x.clone());
            kernels.activate(f, &x, &mut y);
            kernels.activate_gated(f, &x, &up, &mut gated);
            for (i, &x) in x.iter().enumerate() {
                let is_half = matches!(f, GeluTanh | GeluQuick) && x < IDENTITY_FROM;
                let argument = if is_half { half::f16::from_f32(x).to_f32() } else { x };
                let identity = matches!(f, GeluTanh | GeluQuick) && !is_half;
                let expected = if identity { f64::from(x) } else { exact(f, f64::from(argument)) };
                // Half of the last of eleven bits, and of the smallest half float.
                let rounding = if is_half { 2f64.powi(-11) * expected.abs() + 2f64.powi(-25) } else { 0.0 };
                let relative = if f == Exp { 2e-7 } else { 4e-7 };
                // Where a function tends to 0 from cancelling terms, the error is that of its argument.
                let absolute =
                    if matches!(f, Exp | Relu | ReluSquared) { 0.0 } else { 1e-7 * f64::from(x.abs()) };
                close(kernels, y[i], expected, relative * expected.abs() + absolute + rounding);
                close(kernels, gated[i], f64::from(y[i]) * f64::from(up[i]), 1e-6 * f64::from(y[i].abs()));
            }
        }
    }
}

/// An answer in half precision is a choice of neighbours, and models amplify another choice.
#[test]
fn functions_in_half_precision_are_their_definition_bit_for_bit() {
    let x: Vec<f32> =
        (0..=u16::MAX).map(|bits| half::f16::from_bits(bits).to_f32()).filter(|x| x.is_finite()).collect();
    for (f, definition) in [(Activation::GeluTanh, Unary::Gelu), (Activation::GeluQuick, Unary::GeluQuick)] {
        for kernels in each_isa() {
            let mut y = vec![0.0; x.len()];
            kernels.activate(f, &x, &mut y);
            let other: Vec<_> = x.iter().zip(&y).filter(|(x, y)| **y != value(definition, **x)).collect();
            assert!(
                other.is_empty(),
                "{kernels:?} {f:?}: {} differ, such as {:?}",
                other.len(),
                &other[..3.min(other.len())]
            );
        }
    }
}

#[test]
fn exp_keeps_its_limits() {
    let cases = [
        (f32::NEG_INFINITY, 0.0),
        (-1e9, 0.0),
        (-88.0, 0.0),
        (0.0, 1.0),
        (88.8, f32::INFINITY),
        (f32::INFINITY, f32::INFINITY),
    ];
    for kernels in each_isa() {
        for (x, expected) in cases {
            let mut y = [0.0];
            kernels.activate(Activation::Exp, &[x], &mut y);
            assert_eq!(y[0], expected, "{kernels:?} exp({x})");
        }
        for f in [Activation::Exp, Activation::Silu, Activation::GeluErf, Activation::Tanh, Activation::Relu]
        {
            let mut y = [0.0];
            kernels.activate(f, &[f32::NAN], &mut y);
            assert!(y[0].is_nan(), "{kernels:?} {f:?}(NaN) = {}", y[0]);
        }
        for x in [-86.9f32, -80.0, 88.0, 88.7] {
            let mut y = [0.0];
            kernels.activate(Activation::Exp, &[x], &mut y);
            let expected = f64::from(x).exp();
            close(kernels, y[0], expected, 2e-7 * expected);
        }
    }
}

#[test]
fn half_rows_round_trip() {
    for kernels in each_isa() {
        for n in [1, 15, 16, 64, 80, 128, 200] {
            let x = row(n, 7);
            let f16: Vec<u8> = x.iter().flat_map(|&x| half::f16::from_f32(x).to_le_bytes()).collect();
            let bf16: Vec<u8> = x.iter().flat_map(|&x| half::bf16::from_f32(x).to_le_bytes()).collect();
            let mut narrow = vec![0; 2 * n];
            kernels.narrow_f16(&x, &mut narrow);
            assert_eq!(narrow, f16, "{kernels:?}");
            for (dtype, bytes) in
                [(DType::F32, bytemuck::cast_slice(&x)), (DType::F16, &f16), (DType::BF16, &bf16)]
            {
                let (mut wide, mut expected) = (vec![0.0; n], vec![0.0; n]);
                kernels.widen(dtype, bytes, &mut wide);
                quant::decode(dtype, bytes, &mut expected).expect("a whole row");
                assert_eq!(wide, expected, "{kernels:?} {dtype}");
            }
        }
    }
}
