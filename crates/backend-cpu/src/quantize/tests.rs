//! Quantized activations: values, sums and edges. Not the products that read them.
use super::*;
use crate::{isa::Kind, kernels::Kernels};

const ROUNDINGS: [Rounding; 3] = [Rounding::By32, Rounding::By32WithSums, Rounding::By256];

/// What `values` are after they were stored as half floats.
fn half(value: f32) -> f32 {
    quant::blocks::F16::from_f32(value).to_f32()
}

/// Every row against the definition, with every rounding, on every ISA of this machine.
fn check(x: &[f32]) {
    for kernels in Kind::ALL.into_iter().filter_map(Kernels::for_isa) {
        for rounding in ROUNDINGS {
            let mut out = vec![BlockQ8::zeroed(); x.len().div_ceil(BLOCK)];
            kernels.quantize_row(rounding, x, &mut out);
            let shared = if rounding == Rounding::By256 { BLOCK } else { 32 };
            for (i, group) in x.chunks(32).enumerate() {
                let start = 32 * i / shared * shared;
                let amax = x[start..x.len().min(start + shared)].iter().fold(0f32, |m, v| m.max(v.abs()));
                check_group(rounding, &out[i / 8], i % 8, group, amax);
            }
        }
    }
}

fn check_group(rounding: Rounding, block: &BlockQ8, at: usize, group: &[f32], amax: f32) {
    let exact = amax / 127.0;
    let d = block.d[at];
    let ulps = if rounding == Rounding::By256 { 3e-7 } else { 5e-4 };
    assert!((d - exact).abs() <= ulps * exact, "{rounding:?}: {d} for {exact}");
    if rounding != Rounding::By256 && (1e-7..1e4).contains(&exact) {
        assert_eq!(d, half(exact), "{rounding:?}");
    }
    let qs: &[i8; 256] = bytemuck::cast_ref(&block.qs);
    let qs = &qs[32 * at..32 * at + 32];
    for (x, &q) in group.iter().zip(qs) {
        assert!((x - exact * f32::from(q)).abs() <= exact * 0.500_01, "{rounding:?} {x} as {q}");
    }
    let sum = |qs: &[i8]| qs.iter().map(|&q| i16::from(q)).sum::<i16>();
    assert_eq!(block.sum[at], sum(qs));
    assert_eq!(block.half_sum[2 * at..2 * at + 2], [sum(&qs[..16]), sum(&qs[16..])]);
    for (half, pair) in qs.chunks(16).zip(&block.pair_sum[2 * at..]) {
        let part = |from| half.chunks(4).map(|quad| sum(&quad[from..from + 2])).sum();
        assert_eq!(*pair, [part(0), part(2)]);
    }
    assert_eq!(block.half_dsum[2 * at + 1], d * f32::from(sum(&qs[16..])));
    let dsum = exact * f32::from(sum(qs));
    match rounding {
        Rounding::By32WithSums if dsum.abs() < 6e4 && half(dsum) != 0.0 => {
            assert_eq!(block.dsum[at], half(dsum));
        }
        Rounding::By32WithSums => assert_eq!(block.dsum[at], dsum),
        _ => assert_eq!(block.dsum[at], d * f32::from(sum(qs))),
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
fn values_that_are_not_finite_poison_what_shares_their_scale() {
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for (at, rounding) in [0, 17, 31].into_iter().flat_map(|at| ROUNDINGS.map(|r| (at, r))) {
            let mut x = [1.0; 64];
            x[at] = bad;
            for kernels in Kind::ALL.into_iter().filter_map(Kernels::for_isa) {
                let mut out = [BlockQ8::zeroed()];
                kernels.quantize_row(rounding, &x, &mut out);
                assert!(out[0].d[0].is_nan() && out[0].dsum[0].is_nan(), "{kernels:?} {bad} at {at}");
                assert_eq!(out[0].d[1].is_nan(), rounding == Rounding::By256);
                assert!(out[0].qs.as_flattened().iter().all(|&q| q >= -127));
            }
        }
    }
}

#[test]
fn weights_read_what_ggml_pairs_with_them() {
    use Rounding::*;
    let types = [
        (By32, &[DType::Q4_0, DType::Q5_0, DType::Q8_0, DType::IQ4_NL, DType::MXFP4, DType::NVFP4][..]),
        (By32, &[DType::Q1_0, DType::Q2_0]),
        (By32WithSums, &[DType::Q4_1, DType::Q5_1]),
        (By256, &[DType::Q2_K, DType::Q6_K, DType::IQ4_XS, DType::IQ1_S, DType::IQ3_S, DType::TQ1_0]),
    ];
    for (rounding, types) in types {
        types.iter().for_each(|&dtype| assert_eq!(Rounding::of(dtype), rounding, "{dtype}"));
    }
}

/// Buffers are used again, for other things too: nothing of what was there may stay.
#[test]
fn what_was_in_the_buffer_does_not_matter() {
    let x: Vec<f32> = (0..BLOCK + 40).map(|i| (i as f32).sin()).collect();
    for kernels in Kind::ALL.into_iter().filter_map(Kernels::for_isa) {
        for rounding in ROUNDINGS {
            let mut fresh = vec![BlockQ8::zeroed(); 2];
            let mut used = fresh.clone();
            bytemuck::cast_slice_mut::<_, u8>(&mut used).fill(0x55);
            kernels.quantize_row(rounding, &x, &mut fresh);
            kernels.quantize_row(rounding, &x, &mut used);
            for (fresh, used) in fresh.iter().zip(&used) {
                let size = std::mem::offset_of!(BlockQ8, _pad);
                assert_eq!(
                    bytemuck::bytes_of(fresh)[..size],
                    bytemuck::bytes_of(used)[..size],
                    "{rounding:?}"
                );
            }
        }
    }
}
