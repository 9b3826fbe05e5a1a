//! Attention: masks, biases, head groups, stored types, prompts in pieces, sequences of unequal length.

use tensor::{Attention, DType, Mask, MemorySpec, RelativeBias, Timeline, ValueStore};

use super::{Case, steps};

/// Two sequences, three steps, the last of single tokens; the numbers of each step are the same.
const STEPS: [&[usize]; 3] = [&[40, 1], &[3, 38], &[21, 20]];
/// A sequence long enough to be worth cutting in parts.
const LONG: [&[usize]; 2] = [&[300], &[300]];

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
};

pub(super) fn cases() -> Vec<Case> {
    let own = |dim| ValueStore::Own { dim };
    let t5 = |bidirectional| Some(RelativeBias { n_bucket: 32, bidirectional });
    let long = Spec { n_head_kv: 1, key_dim: 16, value: own(16), ..PLAIN };
    let long = [
        ("long", long),
        ("long, window", Spec { mask: Mask::Window(280), ..long }),
        ("long, sinks", Spec { sinks: true, ..long }),
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
    ];
    let short = short.map(|(name, spec)| attention(&format!("attention, {name}"), &STEPS, spec));
    let long = long.map(|(name, spec)| attention(&format!("attention, {name}"), &LONG, spec));
    short.into_iter().chain(long).collect()
}

fn attention(name: &str, counts: &[&[usize]], s: Spec) -> Case {
    steps(name, counts, |b| {
        let memory_spec = MemorySpec::Kv {
            n_head_kv: s.n_head_kv,
            key_dim: s.key_dim,
            value: s.value,
            window: None,
            timeline: Timeline::Sequence,
        };
        let memory = b.memory(memory_spec.clone(), s.dtype);
        let q = b.input(&[s.key_dim, s.n_head]);
        let k = b.input(&[s.key_dim, s.n_head_kv]).scale(3.0);
        let v = match s.value {
            ValueStore::Own { dim } => Some(b.input(&[dim, s.n_head_kv])),
            ValueStore::InKey { .. } => None,
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
        q.attention(kv, s.value.dim(), attention, sinks, bias)
    })
    .within(1e-9)
}
