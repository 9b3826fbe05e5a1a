//! Recurrences: state lasts from step to step, sequences have unequal lengths.

use tensor::{DType, MemorySpec};

use super::{Case, steps};

const STEPS: [&[usize]; 3] = [&[5, 1, 2], &[1, 1, 6], &[3, 4, 1]];

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        steps("conv1d", &STEPS, |b| {
            let memory = b.memory(MemorySpec::State { len: 3 * 20 }, DType::F32);
            let (w, bias) = (b.weight(&[4, 20], DType::F32), b.weight(&[20], DType::F32));
            b.input(&[20]).conv1d(memory, w, Some(bias))
        }),
        steps("conv1d of a slice, no bias, many channels", &STEPS, |b| {
            let memory = b.memory(MemorySpec::State { len: 2 * 2100 }, DType::F32);
            let w = b.weight(&[3, 2100], DType::F32);
            b.input(&[2200]).slice(0, 50, 2100).conv1d(memory, w, None)
        }),
        steps("mean of rows", &STEPS, |b| {
            let memory = b.memory(MemorySpec::State { len: 3 * 20 }, DType::F32);
            b.input(&[20]).pool_mean(memory, 4)
        }),
        steps("weighted mean of rows", &STEPS, |b| {
            let memory = b.memory(MemorySpec::State { len: 2 * 2 * 24 }, DType::F32);
            let bias = b.weight(&[24, 3], DType::F32);
            b.input(&[50]).slice(0, 2, 48).pool_weighted(memory, bias)
        }),
        steps("token shift", &STEPS, |b| {
            let memory = b.memory(MemorySpec::State { len: 24 }, DType::F32);
            b.input(&[24]).token_shift(memory)
        }),
        steps("wkv7", &STEPS, |b| {
            let memory = b.memory(MemorySpec::State { len: 16 * 16 * 3 }, DType::F32);
            let [w, k, v, a, bb] = [(); 5].map(|()| b.input(&[16, 3]).scale(0.3));
            b.input(&[16, 3]).wkv7(memory, [w.affine(1.0, 0.5), k, v, a, bb])
        }),
    ];
    for (name, head_dim, n_head, d_state, n_group, a_dim) in
        [("mamba-1", 1, 24, 16, 1, 16), ("mamba-2", 8, 6, 16, 2, 1)]
    {
        cases.push(steps(&format!("ssm scan, {name}"), &STEPS, |b| {
            let memory = b.memory(MemorySpec::State { len: d_state * head_dim * n_head }, DType::F32);
            let a = b.weight(&[a_dim, n_head], DType::F32);
            let dt = b.input(&[n_head]);
            let (bb, c) = (b.input(&[d_state, n_group]), b.input(&[d_state, n_group]));
            b.input(&[head_dim, n_head]).ssm_scan(memory, dt, a, bb, c)
        }));
    }
    cases.into_iter().map(|c| c.within(1e-9)).collect()
}
