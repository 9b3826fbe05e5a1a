//! Attention: masks, biases, head groups, stored types, prompts in pieces, sequences of unequal length, chosen tokens.

use tensor::{Attention, Choose, DType, Mask, MemorySpec, RelativeBias, Tensor, Timeline, ValueStore};

use super::{Builder, Case, steps};

/// Two sequences, three steps, the last of single tokens; the numbers of each step are the same.
const STEPS: [&[usize]; 3] = [&[40, 1], &[3, 38], &[21, 20]];
/// A sequence long enough to be worth cutting in parts.
const LONG: [&[usize]; 2] = [&[300], &[300]];
/// The same of few rows.
const SLOW: [&[usize]; 20] = [&[32]; 20];

/// What differs from plain causal attention.
#[derive(Clone, Copy)]
struct Spec {
    dtype: DType,
    n_head: usize,
    n_head_kv: usize,
    key_dim: usize,
    value: ValueStore,
    mask: Mask,
    softcap: Option<f32>,
    alibi: Option<f32>,
    sinks: bool,
    relative: Option<RelativeBias>,
    /// How many tokens are chosen.
    chosen: Option<usize>,
}

const PLAIN: Spec = Spec {
    dtype: DType::F32,
    n_head: 4,
    n_head_kv: 2,
    key_dim: 32,
    value: ValueStore::Own { dim: 32 },
    mask: Mask::Causal,
    softcap: None,
    alibi: None,
    sinks: false,
    relative: None,
    chosen: None,
};

pub(super) fn cases() -> Vec<Case> {
    let own = |dim| ValueStore::Own { dim };
    let t5 = |bidirectional| Some(RelativeBias { n_bucket: 32, bidirectional });
    let long = Spec { n_head_kv: 1, key_dim: 16, value: own(16), ..PLAIN };
    let long = [
        ("long", long),
        ("long, window", Spec { mask: Mask::Window(280), ..long }),
        ("long, sinks", Spec { sinks: true, ..long }),
        ("long, chosen", Spec { chosen: Some(270), ..long }),
        ("long, q4_0", Spec { dtype: DType::Q4_0, key_dim: 128, value: own(64), ..long }),
    ];
    let short = [
        ("plain", PLAIN),
        ("f16", Spec { dtype: DType::F16, ..PLAIN }),
        ("bf16", Spec { dtype: DType::BF16, ..PLAIN }),
        ("q8_0", Spec { dtype: DType::Q8_0, ..PLAIN }),
        ("q5_1", Spec { dtype: DType::Q5_1, key_dim: 64, ..PLAIN }),
        ("q5_0", Spec { dtype: DType::Q5_0, n_head: 10, ..PLAIN }),
        ("q4_1", Spec { dtype: DType::Q4_1, key_dim: 96, ..PLAIN }),
        ("q4_0", Spec { dtype: DType::Q4_0, value: own(64), ..PLAIN }),
        ("iq4_nl", Spec { dtype: DType::IQ4_NL, n_head: 16, ..PLAIN }),
        (
            "two queries a key",
            Spec { dtype: DType::BF16, n_head: 2, n_head_kv: 1, key_dim: 80, value: own(48), ..PLAIN },
        ),
        ("eight queries a key, f16", Spec { dtype: DType::F16, n_head: 16, ..PLAIN }),
        ("one head", Spec { n_head: 3, n_head_kv: 1, key_dim: 64, value: own(64), ..PLAIN }),
        ("odd sizes", Spec { key_dim: 21, value: own(13), ..PLAIN }),
        ("odd sizes, f16", Spec { dtype: DType::F16, key_dim: 21, value: own(13), ..PLAIN }),
        ("values in keys", Spec { n_head_kv: 1, key_dim: 48, value: ValueStore::InKey { dim: 40 }, ..PLAIN }),
        (
            "values in keys, q8_0",
            Spec {
                dtype: DType::Q8_0,
                n_head_kv: 1,
                key_dim: 192,
                value: ValueStore::InKey { dim: 128 },
                ..PLAIN
            },
        ),
        ("all", Spec { mask: Mask::All, ..PLAIN }),
        ("window", Spec { mask: Mask::Window(10), ..PLAIN }),
        ("chunk", Spec { mask: Mask::Chunk(16), ..PLAIN }),
        ("symmetric", Spec { mask: Mask::Symmetric(8), ..PLAIN }),
        ("softcap", Spec { softcap: Some(0.5), ..PLAIN }),
        ("alibi", Spec { alibi: Some(8.0), n_head: 6, ..PLAIN }),
        ("sinks", Spec { sinks: true, ..PLAIN }),
        ("relative bias", Spec { relative: t5(false), ..PLAIN }),
        ("relative bias, both sides", Spec { relative: t5(true), mask: Mask::All, ..PLAIN }),
        ("sinks and bias", Spec { sinks: true, relative: t5(false), ..PLAIN }),
        ("chosen", Spec { chosen: Some(9), ..PLAIN }),
        ("chosen, with sinks", Spec { chosen: Some(37), sinks: true, ..PLAIN }),
        (
            "chosen, values in keys, f16",
            Spec {
                dtype: DType::F16,
                chosen: Some(33),
                n_head_kv: 1,
                key_dim: 48,
                value: ValueStore::InKey { dim: 40 },
                ..PLAIN
            },
        ),
        ("chosen, q8_0", Spec { dtype: DType::Q8_0, chosen: Some(12), key_dim: 128, ..PLAIN }),
    ];
    let short = short.map(|(name, spec)| attention(&format!("attention, {name}"), &STEPS, spec));
    let long = long.map(|(name, spec)| attention(&format!("attention, {name}"), &LONG, spec));
    let in_parts = Spec { chosen: Some(520), n_head_kv: 1, key_dim: 16, value: own(16), ..PLAIN };
    let in_parts = attention("attention, chosen, in parts", &SLOW, in_parts);
    short.into_iter().chain(long).chain([in_parts]).chain(choices()).collect()
}

fn attention(name: &str, counts: &[&[usize]], s: Spec) -> Case {
    steps(name, counts, |b| {
        let memory_spec = MemorySpec::Kv {
            n_head_kv: s.n_head_kv,
            key_dim: s.key_dim,
            value: s.value,
            ratio: 1,
            window: None,
            timeline: Timeline::Sequence,
        };
        let memory = b.memory(memory_spec.clone(), s.dtype);
        let q = b.input(&[s.key_dim, s.n_head]);
        let k = b.input(&[s.key_dim, s.n_head_kv]).scale(3.0);
        let v = match s.value {
            ValueStore::Own { dim } => Some(b.input(&[dim, s.n_head_kv])),
            ValueStore::InKey { .. } | ValueStore::None => None,
        };
        let kv = k.append_kv(memory, &memory_spec, v);
        let sinks = s.sinks.then(|| b.weight(&[s.n_head], DType::F32));
        let bias = s.relative.map(|r| b.weight(&[s.n_head, r.n_bucket], DType::F32));
        let attention = Attention {
            mask: s.mask,
            softcap: s.softcap,
            alibi_max_bias: s.alibi,
            sinks: s.sinks,
            relative_bias: s.relative,
            ..Attention::causal(memory, s.key_dim)
        };
        match s.chosen {
            None => q.attention(kv, s.value.dim(), attention, sinks, bias),
            Some(k) => {
                let chosen = choose(b, 64, 5, k, s.dtype);
                q.attention_to_chosen(kv, s.value.dim(), attention, sinks, chosen)
            }
        }
    })
    .within(1e-9)
}

/// Choices alone, as numbers.
fn choices() -> Vec<Case> {
    let choice = |name: &str, counts: &[&[usize]], key_dim, n_head, k, dtype| {
        steps(&format!("choice, {name}"), counts, |b| {
            let chosen = choose(b, key_dim, n_head, k, dtype);
            b.input(&[1000]).gather(chosen)
        })
    };
    vec![
        choice("one of all", &STEPS, 32, 4, 1, DType::F32),
        choice("odd sizes", &STEPS, 21, 3, 10, DType::F32),
        choice("many heads, f16", &STEPS, 32, 64, 33, DType::F16),
        choice("q8_0", &STEPS, 128, 8, 33, DType::Q8_0),
        choice("more than there are", &STEPS, 16, 2, 200, DType::F32),
        choice("long", &LONG, 16, 4, 250, DType::F32),
        choice("in parts", &SLOW, 16, 4, 150, DType::F32),
    ]
}

fn choose<'g>(b: &mut Builder<'g>, key_dim: usize, n_head: usize, k: usize, dtype: DType) -> Tensor<'g> {
    let spec = MemorySpec::Kv {
        n_head_kv: 1,
        key_dim,
        value: ValueStore::None,
        ratio: 1,
        window: None,
        timeline: Timeline::Sequence,
    };
    let memory = b.memory(spec.clone(), dtype);
    let keys = b.input(&[key_dim, 1]).append_kv(memory, &spec, None);
    let (q, weights) = (b.input(&[key_dim, n_head]), b.input(&[n_head]));
    q.choose(weights, keys, Choose { memory, k }, &spec)
}
