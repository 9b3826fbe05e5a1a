//! Speed of the matrix kernels on one core: `cargo run --release -p backend-cpu --example kernels [filter]`.
#![expect(clippy::print_stdout, reason = "a program that prints a table")]

use std::time::Instant;

use backend_cpu::{
    isa::Kind,
    kernels::{Activations, Kernels, Out, Scratch, Weights},
    quantize::BlockQ8,
};
use bytemuck::Zeroable;
use quant::DType;

fn main() {
    let filter = std::env::args().nth(1).unwrap_or_default();
    for dtype in [
        DType::Q4_0,
        DType::Q4_1,
        DType::Q5_0,
        DType::Q5_1,
        DType::Q8_0,
        DType::Q2_K,
        DType::Q3_K,
        DType::Q4_K,
        DType::Q5_K,
        DType::Q6_K,
    ] {
        for kind in [Kind::Avx2, Kind::Avx512] {
            let name = format!("{dtype} {kind:?}");
            if !name.contains(&filter) {
                continue;
            }
            let kernels = Kernels::for_isa(kind).unwrap();
            // Out of cache, then within.
            print!("{name:16}");
            for (n, rows) in [(4096, 8192), (2048, 64)] {
                let bytes = rows * n / dtype.block_len() * dtype.block_bytes();
                let mut s = 1u32;
                let data: Vec<u8> = (0..bytes)
                    .map(|_| {
                        s = s.wrapping_mul(1664525).wrapping_add(1013904223);
                        (s >> 25) as u8 & 0x3b
                    })
                    .collect();
                for tokens in [1, 4] {
                    let x: Vec<f32> = (0..n * tokens).map(|i| (i as f32).sin()).collect();
                    let mut q = vec![BlockQ8::zeroed(); x.len() / 256];
                    kernels.quantize_row(&x, &mut q);
                    let mut y = vec![0.0; rows * tokens];
                    let w = Weights::new(dtype, &data, n);
                    let mut best = f64::MAX;
                    for _ in 0..(200_000_000 / bytes / tokens).clamp(5, 20000) {
                        let t = Instant::now();
                        kernels.dot(
                            w,
                            Activations::Quantized(&q),
                            0..rows,
                            &mut Out::new(&mut y, rows, tokens),
                        );
                        best = best.min(t.elapsed().as_secs_f64());
                    }
                    print!(
                        "  {tokens}: {:6.1} GB/s {:6.1} GMAC/s",
                        bytes as f64 / best / 1e9,
                        (n * rows * tokens) as f64 / best / 1e9
                    );
                }
            }
            let (n, rows, tokens) = (2048, 512, 128);
            let bytes = rows * n / dtype.block_len() * dtype.block_bytes();
            let data: Vec<u8> = (0..bytes).map(|i| ((i * i) >> 3) as u8 & 0x3b).collect();
            let x: Vec<f32> = (0..n * tokens).map(|i| (i as f32).sin()).collect();
            let mut q = vec![BlockQ8::zeroed(); x.len() / 256];
            kernels.quantize_row(&x, &mut q);
            let mut y = vec![0.0; rows * tokens];
            let mut z = y.clone();
            let w = Weights::new(dtype, &data, n);
            let mut best = f64::MAX;
            let mut scratch = Scratch::new();
            for _ in 0..20 {
                let t = Instant::now();
                kernels.tile(
                    w,
                    Activations::Quantized(&q),
                    0..rows,
                    &mut Out::new(&mut y, rows, tokens),
                    &mut scratch,
                );
                best = best.min(t.elapsed().as_secs_f64());
            }
            kernels.dot(w, Activations::Quantized(&q), 0..rows, &mut Out::new(&mut z, rows, tokens));
            let (mut num, mut den) = (0.0, 0.0);
            for (y, z) in y.iter().zip(&z) {
                num += (y - z) * (y - z);
                den += z * z;
            }
            println!("  tile {:6.1} GMAC/s   nmse {:e}", (n * rows * tokens) as f64 / best / 1e9, num / den);
        }
    }
}
