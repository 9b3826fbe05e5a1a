//! Attention: masks, biases, head groups, stored types, prompts in pieces, sequences of unequal length, chosen tokens.

use tensor::{
    Attention, Choose, DType, Mask, MemoryId, MemorySpec, RelativeBias, Scores, Tensor, Timeline, ValueStore,
};

use super::{Builder, Case, steps};

/// Two sequences, three steps, the last of single tokens; the numbers of each step are the same.
const STEPS: [&[usize]; 3] = [&[40, 1], &[3, 38], &[21, 20]];
/// A sequence long enough to be worth cutting in parts.
const LONG: [&[usize]; 2] = [&[300], &[300]];
/// The same of few rows.
const SLOW: [&[usize]; 20] = [&[32]; 20];
/// Rows of two sequences, so many that some are taken together.
const PAIR: [&[usize]; 2] = [&[150, 151], &[149, 152]];

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
    chosen: Option<Choose>,
}

/// Single tokens, chosen by sums of heads.
const fn best(k: usize) -> Choose {
    Choose { memory: MemoryId(0), k, block: 1, by: Scores::Sum }
}

/// Blocks, chosen by sums of heads.
const fn blocks(k: usize, block: usize) -> Choose {
    Choose { block, ..best(k) }
}

/// Blocks, chosen by each head for itself.
const fn own(k: usize, block: usize, n_local: usize) -> Choose {
    Choose { by: Scores::Max { n_local }, ..blocks(k, block) }
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
    let values = |dim| ValueStore::Own { dim };
    let t5 = |bidirectional| Some(RelativeBias { n_bucket: 32, bidirectional });
    let long = Spec { n_head_kv: 1, key_dim: 16, value: values(16), ..PLAIN };
    let long = [
        ("long", long),
        ("long, window", Spec { mask: Mask::Window(280), ..long }),
        ("long, sinks", Spec { sinks: true, ..long }),
        ("long, q4_0", Spec { dtype: DType::Q4_0, key_dim: 128, value: values(64), ..long }),
    ];
    let short = [
        ("plain", PLAIN),
        ("f16", Spec { dtype: DType::F16, ..PLAIN }),
        ("bf16", Spec { dtype: DType::BF16, ..PLAIN }),
        ("q8_0", Spec { dtype: DType::Q8_0, ..PLAIN }),
        ("q5_1", Spec { dtype: DType::Q5_1, key_dim: 64, ..PLAIN }),
        ("q5_0", Spec { dtype: DType::Q5_0, n_head: 10, ..PLAIN }),
        ("q4_1", Spec { dtype: DType::Q4_1, key_dim: 96, ..PLAIN }),
        ("q4_0", Spec { dtype: DType::Q4_0, value: values(64), ..PLAIN }),
        ("iq4_nl", Spec { dtype: DType::IQ4_NL, n_head: 16, ..PLAIN }),
        (
            "two queries a key",
            Spec { dtype: DType::BF16, n_head: 2, n_head_kv: 1, key_dim: 80, value: values(48), ..PLAIN },
        ),
        ("eight queries a key, f16", Spec { dtype: DType::F16, n_head: 16, ..PLAIN }),
        ("one head", Spec { n_head: 3, n_head_kv: 1, key_dim: 64, value: values(64), ..PLAIN }),
        ("odd sizes", Spec { key_dim: 21, value: values(13), ..PLAIN }),
        ("odd sizes, f16", Spec { dtype: DType::F16, key_dim: 21, value: values(13), ..PLAIN }),
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
    short.into_iter().chain(long).chain(to_chosen()).chain(choices()).collect()
}

/// Attention to tokens and blocks that are chosen.
fn to_chosen() -> Vec<Case> {
    let short = [
        ("chosen", Spec { chosen: Some(best(9)), ..PLAIN }),
        ("chosen, with sinks", Spec { chosen: Some(best(37)), sinks: true, ..PLAIN }),
        ("chosen blocks", Spec { chosen: Some(blocks(3, 4)), ..PLAIN }),
        ("chosen blocks, by each head", Spec { chosen: Some(own(3, 5, 1)), ..PLAIN }),
        ("chosen blocks, by each head, of one", Spec { chosen: Some(own(4, 1, 2)), n_head_kv: 4, ..PLAIN }),
        ("chosen blocks as they lie, f16", Spec { dtype: DType::F16, chosen: Some(own(1, 32, 1)), ..PLAIN }),
        (
            "chosen, values in keys, f16",
            Spec {
                dtype: DType::F16,
                chosen: Some(best(33)),
                n_head_kv: 1,
                key_dim: 48,
                value: ValueStore::InKey { dim: 40 },
                ..PLAIN
            },
        ),
        ("chosen, q8_0", Spec { dtype: DType::Q8_0, chosen: Some(best(12)), key_dim: 128, ..PLAIN }),
    ];
    let short = short.map(|(name, spec)| attention(&format!("attention, {name}"), &STEPS, spec));
    let long = |name, counts: &[&[usize]], choose| {
        let value = ValueStore::Own { dim: 16 };
        attention(name, counts, Spec { chosen: Some(choose), n_head_kv: 1, key_dim: 16, value, ..PLAIN })
    };
    let long = [
        long("attention, long, chosen", &LONG, best(270)),
        long("attention, long, chosen blocks", &LONG, blocks(90, 3)),
        long("attention, chosen, in parts", &SLOW, best(520)),
        long("attention, chosen blocks, in parts", &SLOW, own(4, 128, 2)),
    ];
    short.into_iter().chain(long).collect()
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
            Some(choice) => {
                let n_head = if choice.by == Scores::Sum { 5 } else { s.n_head_kv };
                let numbers = choose(b, 64, n_head, choice, s.dtype);
                q.attention_to_chosen(kv, s.value.dim(), attention, sinks, (choice.chosen(), numbers))
            }
        }
    })
    .within(1e-9)
}

/// Choices alone, as numbers.
fn choices() -> Vec<Case> {
    let choice = |name: &str, counts: &[&[usize]], key_dim, n_head, choice: Choose, dtype| {
        steps(&format!("choice, {name}"), counts, |b| {
            let numbers = choose(b, key_dim, n_head, choice, dtype);
            let n = numbers.shape().row_len();
            b.input(&[1000]).gather(numbers.reshape(&[n]))
        })
    };
    vec![
        choice("one of all", &STEPS, 32, 4, best(1), DType::F32),
        choice("odd sizes", &STEPS, 21, 3, best(10), DType::F32),
        choice("many heads, f16", &STEPS, 32, 64, best(33), DType::F16),
        choice("q8_0", &STEPS, 128, 8, best(33), DType::Q8_0),
        choice("more than there are", &STEPS, 16, 2, best(200), DType::F32),
        choice("long", &LONG, 16, 4, best(250), DType::F32),
        choice("in parts", &SLOW, 16, 4, best(150), DType::F32),
        choice("blocks", &STEPS, 32, 4, blocks(5, 4), DType::F32),
        choice("blocks, q8_0", &STEPS, 128, 3, blocks(4, 3), DType::Q8_0),
        choice("odd blocks, f16", &STEPS, 21, 8, blocks(2, 7), DType::F16),
        choice("long blocks", &LONG, 16, 3, blocks(2, 70), DType::F32),
        choice("blocks in parts", &SLOW, 16, 4, blocks(40, 5), DType::F32),
        choice("by each head", &STEPS, 32, 4, own(3, 4, 1), DType::F32),
        choice("by each head, odd blocks, q8_0", &STEPS, 128, 8, own(4, 9, 3), DType::Q8_0),
        choice("by each head, nothing local", &LONG, 16, 2, own(2, 48, 0), DType::F32),
        choice("two sequences", &PAIR, 16, 4, blocks(20, 6), DType::F32),
        choice("by each head, two sequences", &PAIR, 32, 2, own(4, 9, 1), DType::F16),
        choice("by each head, in parts", &SLOW, 16, 4, own(3, 96, 1), DType::F32),
    ]
}

fn choose<'g>(
    b: &mut Builder<'g>,
    key_dim: usize,
    n_head: usize,
    choose: Choose,
    dtype: DType,
) -> Tensor<'g> {
    let spec = MemorySpec::Kv {
        n_head_kv: 1,
        key_dim,
        value: ValueStore::None,
        // A block has one key where it is scored as one.
        ratio: if choose.by == Scores::Sum { choose.block } else { 1 },
        window: None,
        timeline: Timeline::Sequence,
    };
    let memory = b.memory(spec.clone(), dtype);
    let keys = b.input(&[key_dim, 1]).append_kv(memory, &spec, None);
    let q = b.input(&[key_dim, n_head]);
    let weights = (choose.by == Scores::Sum).then(|| b.input(&[n_head]));
    q.choose(keys, weights, Choose { memory, ..choose }, &spec)
}
