//! Functions, arithmetic with broadcast, gates, norms, rotary embedding.

use tensor::{DType, NormKind, RopeOrder, RopeTable, Temperature, Unary};

use super::{Case, case};

const FUNCTIONS: [Unary; 13] = [
    Unary::Silu,
    Unary::Gelu,
    Unary::GeluErf,
    Unary::GeluQuick,
    Unary::Relu,
    Unary::ReluSquared,
    Unary::Sigmoid,
    Unary::Tanh,
    Unary::Exp,
    Unary::Softplus,
    Unary::Square,
    Unary::Sqrt,
    Unary::Neg,
];

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for f in FUNCTIONS {
        cases.push(case(&format!("unary {f:?}"), 3, |b| {
            let x = b.input(&[67]).scale(9.0);
            (if f == Unary::Sqrt { x.unary(Unary::Square) } else { x }).unary(f)
        }));
    }
    for f in [Unary::Silu, Unary::Gelu, Unary::GeluErf, Unary::Relu] {
        cases.push(case(&format!("glu {f:?}"), 5, |b| {
            let [gate, up] = b.input(&[66]).split([33, 33]);
            gate.scale(5.0).glu(f, up)
        }));
    }
    cases.extend(arithmetic());
    cases.extend(norms());
    cases.extend(ropes());
    cases
}

fn arithmetic() -> Vec<Case> {
    vec![
        case("add, sub", 4, |b| {
            let x = b.input(&[24, 3]);
            let y = b.input(&[24, 3]);
            x + y - y.scale(0.5)
        }),
        case("mul, div by weights", 4, |b| {
            let x = b.input(&[24, 3]);
            let w = b.weight(&[24], DType::F32);
            let d = b.weight(&[1, 3], DType::F16);
            x * w / d
        }),
        case("broadcast of one element", 4, |b| {
            let x = b.input(&[17, 2]);
            let gate = b.input(&[1, 2]).sigmoid();
            x * gate
        }),
        case("affine, clamp", 3, |b| b.input(&[40]).affine(3.0, 0.5).clamp(-1.0, 2.0)),
        case("softmax", 3, |b| b.input(&[50, 2]).scale(20.0).softmax()),
    ]
}

fn norms() -> Vec<Case> {
    let mut cases = Vec::new();
    for kind in [NormKind::Rms, NormKind::Layer, NormKind::L2] {
        cases.push(case(&format!("norm {kind:?}"), 3, |b| b.input(&[70]).norm(kind, 1e-5, None, None)));
        cases.push(case(&format!("norm {kind:?}, weight, bias"), 3, |b| {
            let (w, bias) = (b.weight(&[64], DType::F32), b.weight(&[64], DType::F32));
            b.input(&[64, 2]).affine(3.0, 1.0).norm(kind, 1e-6, Some(w), Some(bias))
        }));
    }
    cases.push(case("norm by head", 2, |b| {
        let w = b.weight(&[16, 4], DType::F32);
        b.input(&[16, 4]).norm(NormKind::Rms, 1e-6, Some(w), None)
    }));
    cases
}

/// Plain, partial, scaled by YaRN, with factors, in both orders.
fn ropes() -> Vec<Case> {
    let plain = RopeTable {
        n_rot: 32,
        freq_base: 10_000.0,
        freq_scale: 1.0,
        ext_factor: 0.0,
        attn_factor: 1.0,
        beta_fast: 32.0,
        beta_slow: 1.0,
        n_ctx_orig: 128,
        factors: false,
        back: 0,
    };
    let tables = [
        ("plain", plain),
        ("partial", RopeTable { n_rot: 20, ..plain }),
        ("linear", RopeTable { freq_scale: 0.25, ..plain }),
        ("yarn", RopeTable { freq_scale: 0.125, ext_factor: 1.0, attn_factor: 0.9, ..plain }),
        ("back", RopeTable { back: 3, ..plain }),
        ("factors", RopeTable { factors: true, ..plain }),
    ];
    let temperature = Temperature { scale: 0.1, offset: 1.0, period: 8.0 };
    let mut cases = vec![case("temperature", 50, |b| b.input(&[4, 3]) * b.graph.temperature(temperature))];
    for (name, table) in tables {
        for order in [RopeOrder::Interleaved, RopeOrder::Neox] {
            cases.push(case(&format!("rope {name} {order:?}"), 50, |b| {
                let factors = table.factors.then(|| b.weight(&[table.n_rot / 2], DType::F32));
                let x = b.input(&[32, 3]);
                x.rope(b.graph.rope_table(table, factors), order)
            }));
            cases.push(case(&format!("rope {name} {order:?}, inverse"), 3, |b| {
                let factors = table.factors.then(|| b.weight(&[table.n_rot / 2], DType::F32));
                let x = b.input(&[36, 2]);
                x.inverse_rope(b.graph.rope_table(table, factors), order)
            }));
        }
    }
    cases
}
