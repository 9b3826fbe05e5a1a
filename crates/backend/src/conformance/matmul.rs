//! Products: every weight type, single tokens and batches with edges, heads, experts, table rows.

use tensor::DType;

use super::{Case, case};

/// Rounding of products summed in another order.
const FLOAT: f64 = 1e-10;
/// Quantized activations may round differently at halves.
const QUANTIZED: f64 = 1e-7;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for &dtype in DType::ALL.iter().filter(|d| d.is_for_weights()) {
        let tolerance = if dtype.is_quantized() { QUANTIZED } else { FLOAT };
        for (n_out, n_tokens) in [(37, 1), (64, 3), (50, 13), (96, 40)] {
            let name = format!("matmul {dtype} to {n_out}, {n_tokens} tokens");
            cases.push(
                case(&name, n_tokens, |b| {
                    let w = b.weight(&[512, n_out], dtype);
                    b.input(&[512]).matmul(w)
                })
                .within(tolerance),
            );
        }
        cases.push(case(&format!("lookup {dtype}"), 4, |b| {
            let table = b.weight(&[256, 10], dtype);
            b.ids(&[], 10).lookup(table)
        }));
    }
    cases.push(case("matmul of odd length", 7, |b| {
        let w = b.weight(&[45, 33], DType::F32);
        b.input(&[45, 2]).matmul(w)
    }));
    for dtype in [DType::F32, DType::F16, DType::Q8_0, DType::Q4_K] {
        cases.extend(shaped(dtype));
    }
    cases
}

fn shaped(dtype: DType) -> Vec<Case> {
    let tolerance = if dtype.is_quantized() { QUANTIZED } else { FLOAT };
    let mut cases = Vec::new();
    for n_tokens in [1, 9] {
        cases.push(case(&format!("matmul of heads {dtype}, {n_tokens} tokens"), n_tokens, |b| {
            let w = b.weight(&[256, 24, 3], dtype);
            b.input(&[256, 3]).matmul_heads(w)
        }));
        for n_used in [1, 3] {
            cases.push(case(&format!("experts {dtype}, {n_used} used, {n_tokens} tokens"), n_tokens, |b| {
                let (up, down) = (b.weight(&[256, 256, 5], dtype), b.weight(&[256, 40, 5], dtype));
                let ids = b.input(&[5]).top_k(n_used);
                let hidden = b.input(&[256, 1]).matmul_experts(up, ids);
                hidden.matmul_experts(down, ids)
            }));
        }
    }
    cases.into_iter().map(|c| c.within(tolerance)).collect()
}
