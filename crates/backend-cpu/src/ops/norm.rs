//! Normalizations and softmax of one vector. Sums are in float64: the definition does not depend on their order.

use tensor::NormKind;

use super::elementwise::binary;

pub(crate) fn norm(
    kind: NormKind,
    eps: f32,
    x: &[f32],
    weight: Option<&[f32]>,
    bias: Option<&[f32]>,
    y: &mut [f32],
) {
    let n = x.len() as f64;
    let mean = if kind == NormKind::Layer { x.iter().map(|&x| f64::from(x)).sum::<f64>() / n } else { 0.0 };
    let squares: f64 = x.iter().map(|&x| (f64::from(x) - mean) * (f64::from(x) - mean)).sum();
    let scale = match kind {
        NormKind::Rms | NormKind::Layer => 1.0 / ((squares / n) as f32 + eps).sqrt(),
        NormKind::L2 => 1.0 / (squares.sqrt() as f32).max(eps),
    };
    let mean = mean as f32;
    match (weight, bias) {
        (Some(w), None) if w.len() == x.len() => {
            for ((y, x), w) in y.iter_mut().zip(x).zip(w) {
                *y = (x - mean) * scale * w;
            }
        }
        _ => {
            for (y, x) in y.iter_mut().zip(x) {
                *y = (x - mean) * scale;
            }
            for (operand, f) in [(weight, tensor::Binary::Mul), (bias, tensor::Binary::Add)] {
                if let Some(operand) = operand {
                    in_place(f, y, operand);
                }
            }
        }
    }
}

fn in_place(f: tensor::Binary, y: &mut [f32], b: &[f32]) {
    for (i, y) in y.iter_mut().enumerate() {
        let b = if b.len() == 1 { b[0] } else { b[i] };
        let a = *y;
        binary(f, &[a], &[b], std::slice::from_mut(y));
    }
}

pub(crate) fn softmax(x: &[f32], y: &mut [f32]) {
    let max = x.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0f64;
    for (y, x) in y.iter_mut().zip(x) {
        *y = (x - max).exp();
        sum += f64::from(*y);
    }
    let scale = (1.0 / sum) as f32;
    for y in y {
        *y *= scale;
    }
}
