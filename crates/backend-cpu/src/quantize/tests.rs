//! Quantized activations: values, sums and edges. Not the products that read them.
use super::*;
use crate::{isa::Kind, kernels::Kernels};

/// Every row against the definition, on every ISA of this machine.
fn check(x: &[f32]) {
    for kernels in Kind::ALL.into_iter().filter_map(Kernels::for_isa) {
        let mut out = vec![BlockQ8::zeroed(); x.len().div_ceil(BLOCK)];
        kernels.quantize_row(x, &mut out);
        for (i, group) in x.chunks(32).enumerate() {
            let (block, at) = (&out[i / 8], i % 8);
            let amax = group.iter().fold(0f32, |m, v| m.max(v.abs()));
            assert_eq!(block.d[at], amax / 127.0, "{kernels:?} group {i}");
            let qs: &[i8; 256] = bytemuck::cast_ref(&block.qs);
            let qs = &qs[32 * at..32 * at + 32];
            for (x, &q) in group.iter().zip(qs) {
                assert!(
                    (x - block.d[at] * f32::from(q)).abs() <= amax / 127.0 * 0.500_01,
                    "{kernels:?} {x} as {q}"
                );
            }
            let sum = |qs: &[i8]| qs.iter().map(|&q| i32::from(q)).sum::<i32>();
            assert_eq!(block.sum[at], sum(qs));
            assert_eq!(block.half_sum[2 * at..2 * at + 2], [sum(&qs[..16]), sum(&qs[16..])]);
            assert_eq!(block.dsum[at], block.d[at] * sum(qs) as f32);
            assert_eq!(block.half_dsum[2 * at + 1], block.d[at] * sum(&qs[16..]) as f32);
        }
    }
}

#[test]
fn rows_of_any_length_round_to_nearest() {
    for n in [32, 64, 96, 256, 288, 576] {
        check(&(0..n).map(|i| ((i * 7919) as f32).sin() * 10f32.powi(i % 9 - 4)).collect::<Vec<_>>());
    }
}

#[test]
fn extremes_keep_their_scale() {
    check(&[0.0; 32]);
    check(&[1e38; 32]);
    check(&[-1.0; 64]);
    check(&std::array::from_fn::<f32, 32, _>(|i| if i == 5 { -1e-30 } else { 0.0 }));
}

#[test]
fn values_that_are_not_finite_poison_their_group() {
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for at in [0, 17, 31] {
            let mut x = [1.0; 64];
            x[at] = bad;
            for kernels in Kind::ALL.into_iter().filter_map(Kernels::for_isa) {
                let mut out = [BlockQ8::zeroed()];
                kernels.quantize_row(&x, &mut out);
                assert!(out[0].d[0].is_nan(), "{kernels:?} {bad} at {at}");
                assert_eq!(out[0].d[1], 1.0 / 127.0);
                assert!(out[0].qs.as_flattened().iter().all(|&q| q >= -127));
            }
        }
    }
}
