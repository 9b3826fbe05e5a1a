//! Every kernel of every ISA of this machine against the decoded weights.

use bytemuck::Zeroable;
use quant::decode;

use super::*;

/// Types of weights: every other is activations or plain data.
fn types() -> impl Iterator<Item = DType> {
    DType::ALL.iter().copied().filter(|dtype| dtype.is_for_weights())
}

struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        self.0 ^ self.0 >> 29
    }
    fn float(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1 << 23) as f32 - 1.0
    }
}

/// Random blocks whose values are finite and moderate; every eighth has extreme codes.
fn random_weights(rng: &mut Rng, dtype: DType, n_values: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut values = vec![0.0; dtype.block_len()];
    while bytes.len() < n_values / dtype.block_len() * dtype.block_bytes() {
        let fill = match rng.next() >> 20 & 15 {
            0 => Some(0xff),
            1 => Some(0),
            2 => Some(0x80),
            _ => None,
        };
        let noise = |_| rng.next() as u8 >> 1 << 1;
        let mut block: Vec<u8> = (0..dtype.block_bytes()).map(noise).collect();
        if let Some(fill) = fill {
            fill_middle(&mut block, fill);
        }
        decode(dtype, &block, &mut values).unwrap();
        if values.iter().all(|v| v.abs() < 50.0) {
            bytes.extend(block);
        }
    }
    bytes
}

fn random_tokens(rng: &mut Rng, n: usize, n_tokens: usize) -> Vec<f32> {
    let mut x: Vec<f32> = (0..n * n_tokens).map(|_| rng.float()).collect();
    for group in x.chunks_mut(32) {
        match rng.next() >> 20 & 15 {
            0 => group.fill(1.0),
            1 => group.fill(-3.0),
            2 => group.fill(0.0),
            3 => group.iter_mut().for_each(|x| *x *= 100.0),
            _ => {}
        }
    }
    x
}

/// How tokens are rounded here: sums that are rounded on their own would not be those of the decoded values.
fn rounding(dtype: DType) -> Rounding {
    match Rounding::of(dtype) {
        Rounding::By32WithSums => Rounding::By32,
        rounding => rounding,
    }
}

struct Expected {
    value: f64,
    tolerance: f64,
}

/// The products of decoded weights and quantized tokens, and how far rounding may lead away.
fn expected(dtype: DType, w: &[u8], x: &[f32], n: usize) -> Vec<Vec<Expected>> {
    let row_bytes = dtype.row_bytes(n).unwrap();
    let scalar = Kernels::for_isa(Kind::Scalar).unwrap();
    let tokens = x.chunks(n).map(|x| {
        let mut blocks = vec![BlockQ8::zeroed(); n.div_ceil(256)];
        scalar.quantize_row(rounding(dtype), x, &mut blocks);
        let value = |i: usize| {
            let block = &blocks[i / 256];
            f64::from(block.d[i % 256 / 32]) * f64::from(block.qs[i % 256 / 64][i % 64])
        };
        let float = |i: usize| f64::from(x[i]);
        (0..n).map(|i| if dtype.is_quantized() { value(i) } else { float(i) }).collect::<Vec<f64>>()
    });
    let rows: Vec<_> = w.chunks(row_bytes).map(|w| (decoded(dtype, w, n), reach(dtype, w, n))).collect();
    tokens.map(|x| rows.iter().map(|(w, reach)| product(w, reach, &x)).collect()).collect()
}

fn decoded(dtype: DType, w: &[u8], n: usize) -> Vec<f32> {
    let mut values = vec![0.0; n];
    decode(dtype, w, &mut values).unwrap();
    values
}

/// How large values with the scales of each 32 can be, which is what kernels round to: codes near their offset
/// make small values of large scales.
fn reach(dtype: DType, w: &[u8], n: usize) -> Vec<f32> {
    let mut reach = vec![0f32; n.div_ceil(32)];
    for fill in [None, Some(0xff), Some(0x77), Some(0)] {
        let mut w = w.to_vec();
        for block in w.chunks_mut(dtype.block_bytes()).filter(|_| dtype.is_quantized()) {
            if let Some(fill) = fill {
                fill_middle(block, fill);
            }
        }
        for (reach, values) in reach.iter_mut().zip(decoded(dtype, &w, n).chunks(32)) {
            *reach = values.iter().filter(|v| v.is_finite()).fold(*reach, |m, v| m.max(v.abs()));
        }
    }
    reach
}

fn fill_middle(block: &mut [u8], fill: u8) {
    let (from, to) = (block.len() / 4, block.len() * 3 / 4);
    block[from..to].fill(fill);
}

fn product(w: &[f32], reach: &[f32], x: &[f64]) -> Expected {
    let mut value = 0.0;
    let mut tolerance = 1e-30;
    for ((w, x), reach) in w.chunks(32).zip(x.chunks(32)).zip(reach) {
        for (&w, x) in w.iter().zip(x) {
            value += f64::from(w) * x;
            tolerance += 1e-6 * f64::from(*reach) * x.abs();
        }
    }
    Expected { value, tolerance }
}

/// Checks `dot` and `tile` with every ISA for a matrix `[n, n_rows]` and `n_tokens`.
fn check(dtype: DType, n: usize, n_rows: usize, n_tokens: usize) {
    let rng = &mut Rng((n + n_rows * 1000 + n_tokens * 77) as u64);
    check_product(dtype, n, &random_weights(rng, dtype, n * n_rows), &random_tokens(rng, n, n_tokens));
}

fn check_product(dtype: DType, n: usize, w: &[u8], x: &[f32]) {
    let (n_rows, n_tokens) = (w.len() / dtype.row_bytes(n).unwrap(), x.len() / n);
    let expected = expected(dtype, w, x, n);
    let weights = Weights::new(dtype, w, n);
    let mut scratch = Scratch::new();
    for kernels in Kind::ALL.into_iter().filter_map(Kernels::for_isa) {
        let mut blocks = vec![BlockQ8::zeroed(); n.div_ceil(256) * n_tokens];
        for (x, blocks) in x.chunks(n).zip(blocks.chunks_mut(n.div_ceil(256))) {
            kernels.quantize_row(rounding(dtype), x, blocks);
        }
        let activations =
            if dtype.is_quantized() { Activations::Quantized(&blocks) } else { Activations::Float(x) };
        let stride = n_rows + 3;
        for class in ["dot", "tile"] {
            let mut y = vec![f32::NAN; stride * n_tokens];
            let out = Out::new(&mut y, stride, n_tokens);
            let (mut low, high) = out.split_at(n_rows / 3);
            let (mut high, _untouched) = high.split_at(n_rows);
            match class {
                "dot" => {
                    kernels.dot(weights, activations, 0..n_rows / 3, &mut low);
                    kernels.dot(weights, activations, n_rows / 3..n_rows, &mut high);
                }
                _ => {
                    kernels.tile(weights, activations, 0..n_rows / 3, &mut low, &mut scratch);
                    kernels.tile(weights, activations, n_rows / 3..n_rows, &mut high, &mut scratch);
                }
            }
            for (t, (y, expected)) in y.chunks(stride).zip(&expected).enumerate() {
                for (row, (y, e)) in y.iter().zip(expected).enumerate() {
                    let off = (f64::from(*y) - e.value).abs();
                    assert!(
                        off <= e.tolerance,
                        "{dtype} [{n}, {n_rows}] {kernels:?} {class}: row {row} of token {t} is {y}, not {} ± {}",
                        e.value,
                        e.tolerance
                    );
                }
                assert!(y[n_rows..].iter().all(|y| y.is_nan()), "{dtype} {class} writes outside of its rows");
            }
        }
    }
}

#[test]
fn every_type_at_every_edge() {
    for dtype in types() {
        let block = dtype.block_len().max(32);
        for (n, n_rows, n_tokens) in [
            (block, 1, 1),
            (block, 7, 2),
            (2 * block, 16, 3),
            (3 * block, 33, 4),
            (256, 32, 5),
            (512, 50, 7),
            (768, 64, 8),
            (1280, 20, 9),
        ] {
            check(dtype, n, n_rows, n_tokens);
        }
        if dtype.block_len() == 1 {
            for n in (1..40).chain(120..140) {
                check(dtype, n, 18, 5);
            }
        }
        if dtype.block_len() == 32 {
            for n in (32..=544).step_by(32) {
                check(dtype, n, 18, 3);
            }
        }
    }
}

/// Activations as large as they get, of the signs of a row's weights and of the others: no sum of products is larger.
#[test]
fn the_largest_sums_fit() {
    for dtype in types().filter(|dtype| dtype.is_quantized()) {
        let (n, n_rows) = (512, 16);
        let w = random_weights(&mut Rng(7), dtype, n * n_rows);
        let rows: Vec<_> = w.chunks(dtype.row_bytes(n).unwrap()).map(|w| decoded(dtype, w, n)).collect();
        let signs = rows.iter().flatten().map(|w| if *w < 0.0 { -1.0 } else { 1.0 });
        let x: Vec<f32> = signs.clone().chain(signs.map(|sign| -sign)).collect();
        check_product(dtype, n, &w, &x);
    }
}

/// Integer sums of a whole span need one scale for all of its activations.
#[test]
fn integer_scales_meet_activations_of_one_scale() {
    use crate::isa::Packing as _;
    fn has_steps<F: format::Format>() -> bool {
        F::Packing::STEPS
    }
    for dtype in types().filter(|dtype| dtype.is_quantized()) {
        let float = |name| panic!("{dtype} is quantized, not {name}");
        let has_steps = for_format!(dtype, F => float(std::any::type_name::<F>()), has_steps::<F>());
        assert_eq!(has_steps, Rounding::of(dtype) == Rounding::By256, "{dtype}");
    }
}
