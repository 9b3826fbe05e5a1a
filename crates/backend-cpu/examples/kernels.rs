//! Speed of the matrix kernels on one core: `cargo run --release -p backend-cpu --example kernels [filter]`.
#![expect(clippy::print_stdout, reason = "a program that prints a table")]

use std::time::Instant;

use backend_cpu::{
    isa::Kind,
    kernels::{Activations, Kernels, Out, Scratch, Weights},
    quantize::{BlockQ8, Rounding},
};
use bytemuck::Zeroable;
use quant::DType;

fn main() {
    let filter = std::env::args().nth(1).unwrap_or_default();
    let is_weight = |dtype: &DType| dtype.is_quantized() && dtype.is_for_weights();
    for dtype in DType::ALL.iter().copied().filter(is_weight) {
        for kind in Kind::ALL {
            let name = format!("{dtype} {kind:?}");
            let Some(kernels) = Kernels::for_isa(kind).filter(|_| name.contains(&filter)) else {
                continue;
            };
            print!("{name:16}");
            // Out of cache, then within.
            for (n, rows) in [(4096, 8192), (2048, 64)] {
                for tokens in [1, 4] {
                    dot(&kernels, dtype, n, rows, tokens);
                }
            }
            tile(&kernels, dtype);
        }
    }
}

/// Bytes that make finite blocks of any type.
fn weights(dtype: DType, n: usize, rows: usize) -> Vec<u8> {
    let bytes = rows * n / dtype.block_len() * dtype.block_bytes();
    let mut state = 1u32;
    (0..bytes)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 25) as u8 & 0x3b
        })
        .collect()
}

fn activations(kernels: &Kernels, dtype: DType, n: usize, tokens: usize) -> Vec<BlockQ8> {
    let x: Vec<f32> = (0..n * tokens).map(|i| (i as f32).sin()).collect();
    let mut q = vec![BlockQ8::zeroed(); x.len() / 256];
    kernels.quantize_row(Rounding::of(dtype), &x, &mut q);
    q
}

/// Seconds of the fastest of `n` runs.
fn best(n: usize, mut work: impl FnMut()) -> f64 {
    let times = (0..n).map(|_| {
        let start = Instant::now();
        work();
        start.elapsed().as_secs_f64()
    });
    times.fold(f64::MAX, f64::min)
}

fn dot(kernels: &Kernels, dtype: DType, n: usize, rows: usize, tokens: usize) {
    let data = weights(dtype, n, rows);
    let q = activations(kernels, dtype, n, tokens);
    let mut y = vec![0.0; rows * tokens];
    let w = Weights::new(dtype, &data, n);
    let seconds = best((200_000_000 / data.len() / tokens).clamp(5, 20000), || {
        kernels.dot(w, Activations::Quantized(&q), 0..rows, &mut Out::new(&mut y, rows, tokens));
    });
    print!(
        "  {tokens}: {:6.1} GB/s {:6.1} GMAC/s",
        data.len() as f64 / seconds / 1e9,
        (n * rows * tokens) as f64 / seconds / 1e9
    );
}

/// Speed of tiles, and how far they are from dots.
fn tile(kernels: &Kernels, dtype: DType) {
    let (n, rows, tokens) = (2048, 512, 128);
    let data = weights(dtype, n, rows);
    let q = activations(kernels, dtype, n, tokens);
    let (mut y, mut z) = (vec![0.0; rows * tokens], vec![0.0; rows * tokens]);
    let w = Weights::new(dtype, &data, n);
    let mut scratch = Scratch::new();
    let seconds = best(20, || {
        let out = &mut Out::new(&mut y, rows, tokens);
        kernels.tile(w, Activations::Quantized(&q), 0..rows, out, &mut scratch);
    });
    kernels.dot(w, Activations::Quantized(&q), 0..rows, &mut Out::new(&mut z, rows, tokens));
    let (mut error, mut square) = (0.0, 0.0);
    for (y, z) in y.iter().zip(&z) {
        error += (y - z) * (y - z);
        square += z * z;
    }
    println!("  tile {:6.1} GMAC/s   nmse {:e}", (n * rows * tokens) as f64 / seconds / 1e9, error / square);
}
