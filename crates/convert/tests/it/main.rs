//! Quantizing, splitting, merging and editing of small files, and the recipes against those of the reference.

mod edit;
mod imatrix;
mod quantize;
mod recipes;
mod types;

use gguf::write::{Builder, OwnedValue};
use gguf::{Gguf, TensorType};
use testkit::Folder;

fn tensor_type(name: &str) -> TensorType {
    TensorType::all().find(|ty| ty.name() == name).expect("a known type")
}

/// Numbers between -1 and 1, the same for the same name.
fn weights(name: &str, n: usize) -> Vec<f32> {
    let mut state =
        name.bytes().fold(0x9e37_79b9_7f4a_7c15u64, |s, b| (s ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..n).map(|_| next()).collect()
}

fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|x| x.to_le_bytes()).collect()
}

/// A model of F32 tensors with these names and shapes.
fn model(tensors: &[(&str, &[u64])]) -> Builder {
    let mut file = Builder::new();
    file.value("general.architecture", "llama".into());
    file.value("llama.block_count", OwnedValue::U32(3));
    file.value("llama.attention.head_count", OwnedValue::U32(4));
    for (name, dims) in tensors {
        let n = dims.iter().product::<u64>() as usize;
        file.tensor(name, dims, tensor_type("F32"), bytes(&weights(name, n)));
    }
    file
}

/// Three layers, an embedding, an output, a norm.
fn small_model() -> Builder {
    let mut tensors = vec![("token_embd.weight", vec![256, 40]), ("output.weight", vec![256, 40])];
    tensors.push(("output_norm.weight", vec![256]));
    let names: Vec<String> = (0..3)
        .flat_map(|l| {
            ["attn_q", "attn_v", "ffn_down", "ffn_norm"].map(|part| format!("blk.{l}.{part}.weight"))
        })
        .collect();
    for name in &names {
        tensors.push((name, if name.contains("norm") { vec![256] } else { vec![256, 16] }));
    }
    let tensors: Vec<_> = tensors.iter().map(|(name, dims)| (*name, &dims[..])).collect();
    model(&tensors)
}

fn open(builder: &Builder) -> Gguf {
    Gguf::from_bytes(builder.to_bytes().expect("valid")).expect("readable")
}
