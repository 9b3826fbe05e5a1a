//! Compressed tokens: making them, and attention to them beside a window of single ones.

use tensor::{
    Attention, Choose, Compress, DType, Mask, MemoryId, MemorySpec, Scores, Tensor, Timeline, ValueStore,
};

use super::{Builder, Case, case, steps};

/// Two sequences, three steps.
const STEPS: [&[usize]; 3] = [&[40, 1], &[3, 38], &[21, 20]];
/// A sequence long enough to be worth cutting in parts.
const LONG: [&[usize]; 2] = [&[300], &[300]];

const DIM: usize = 48;

pub(super) fn cases() -> Vec<Case> {
    let alone = |name: &str, ratio, overlap, dim, dtype| {
        steps(&format!("compress, {name}"), &STEPS, |b| {
            let n = if overlap { 2 * dim } else { dim };
            let spec = MemorySpec::Recent { dim: 2 * n, window: 2 * ratio };
            let compress = Compress { memory: b.memory(spec.clone(), DType::F16), ratio, overlap };
            let recent = b.input(&[2 * n, 1]).append_kv(compress.memory, &spec, None);
            recent.compress(b.weight(&[n, ratio], dtype), compress, &spec)
        })
    };
    let joined = |name: &str, counts: &[&[usize]], ratio, chosen, dtype| {
        steps(&format!("attention to tokens and compressed ones, {name}"), counts, |b| {
            near_and_far(b, ratio, chosen, dtype)
        })
        .within(1e-9)
    };
    vec![
        alone("blocks", 16, false, 100, DType::F32),
        alone("blocks longer than the first step", 50, false, 32, DType::BF16),
        alone("one token a block", 1, false, 10, DType::F32),
        alone("overlapping", 4, true, 80, DType::Q8_0),
        alone("overlapping, odd sizes", 3, true, 13, DType::F32),
        joined("all", &STEPS, 4, None, DType::F32),
        joined("f16", &STEPS, 3, None, DType::F16),
        joined("chosen", &STEPS, 2, Some(7), DType::F32),
        joined("in parts", &LONG, 2, None, DType::F32),
        joined("in parts, chosen", &LONG, 2, Some(130), DType::F32),
        case("experts by token", 20, |b| {
            let table = b.weight(&[3, 50], DType::I32);
            let (tokens, scores) = (b.ids(&[], 50), b.input(&[16]));
            scores.gather(tokens.lookup(table))
        }),
    ]
}

fn near_and_far<'g>(b: &mut Builder<'g>, ratio: usize, chosen: Option<usize>, dtype: DType) -> Tensor<'g> {
    let q = b.input(&[DIM, 4]);
    let value = ValueStore::InKey { dim: DIM };
    let (near, near_kv, _) = keys(b, 1, value, dtype);
    let (far, far_kv, _) = keys(b, ratio, value, dtype);
    let window =
        Attention { mask: Mask::Window(280), sinks: true, log_sum: true, ..Attention::causal(near, DIM) };
    let all = Attention { log_sum: true, ..Attention::causal(far, DIM) };
    let sinks = b.weight(&[4], DType::F32);
    let y = q.attention(near_kv, DIM, window, Some(sinks), None);
    y.join_attention(match chosen {
        None => q.attention(far_kv, DIM, all, None, None),
        Some(k) => {
            let (memory, kv, spec) = keys(b, ratio, ValueStore::None, dtype);
            let choose = Choose { memory, k, block: 1, by: Scores::Sum };
            let numbers = q.choose(kv, Some(b.input(&[4])), choose, &spec);
            q.attention_to_chosen(far_kv, DIM, all, None, (choose.chosen(), numbers))
        }
    })
}

/// A memory of keys, one for each `ratio` tokens.
fn keys<'g>(
    b: &mut Builder<'g>,
    ratio: usize,
    value: ValueStore,
    dtype: DType,
) -> (MemoryId, Tensor<'g>, MemorySpec) {
    let timeline = Timeline::Sequence;
    let spec = MemorySpec::Kv { n_head_kv: 1, key_dim: DIM, value, ratio, window: None, timeline };
    let memory = b.memory(spec.clone(), dtype);
    (memory, b.input(&[DIM, 1]).scale(3.0).append_kv(memory, &spec, None), spec)
}
