//! `llama-rs synth`: model files of realistic shapes with random weights, to measure speed without downloads.

mod blocks;
mod shape;

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use gguf::TensorType;
use gguf::write::{Header, OwnedValue, Writer};
use quant::DType;

use crate::args::SynthArgs;
use crate::output;
use blocks::Blocks;
use shape::Shape;

/// How a tensor is filled.
enum Content {
    Ones,
    Random(DType),
}

pub(crate) fn run(args: &SynthArgs) -> Result<()> {
    let dtype = args.dtype;
    let is_float = dtype.is_quantized() || matches!(dtype, DType::F32 | DType::F16 | DType::BF16);
    ensure!(is_float, "--type {dtype}: weights cannot have this type");
    let shape = Shape::of(args.shape);
    let tensors = tensors(&shape, dtype);
    let start = Instant::now();
    let mut header = metadata(&shape, args);
    for (name, dims, content) in &tensors {
        let dtype = match content {
            Content::Ones => DType::F32,
            Content::Random(dtype) => *dtype,
        };
        let ty = TensorType::from_id(dtype.id()).map_err(anyhow::Error::msg)?;
        let dims: Vec<u64> = dims.iter().map(|&d| d as u64).collect();
        header.tensor(name, &dims, ty);
    }
    let n_bytes = header.file_bytes()?;
    let of = || args.output.display().to_string();
    let mut writer = Writer::create(&args.output, &header).with_context(of)?;
    let mut pools: Vec<Blocks> = Vec::new();
    for (i, (_, dims, content)) in tensors.iter().enumerate() {
        let n: usize = dims.iter().product();
        match content {
            Content::Ones => writer.append(&1f32.to_le_bytes().repeat(n)).with_context(of)?,
            Content::Random(dtype) => {
                let pool = match pools.iter().position(|p| p.dtype() == *dtype) {
                    Some(pool) => &pools[pool],
                    None => {
                        pools.push(Blocks::new(*dtype, args.seed)?);
                        pools.last().expect("just pushed")
                    }
                };
                pool.fill(n, args.seed.wrapping_add(i as u64 + 1), |bytes| Ok(writer.append(bytes)?))
                    .with_context(of)?;
            }
        }
    }
    writer.finish().with_context(of)?;
    let seconds = start.elapsed().as_secs_f64();
    output::note(&format!("{}: {} MiB in {seconds:.1} s", of(), n_bytes >> 20));
    Ok(())
}

fn metadata(shape: &Shape, args: &SynthArgs) -> Header {
    let mut header = Header::new();
    let text = |text: &str| OwnedValue::String(text.into());
    let number = |n: usize| OwnedValue::U32(n as u32);
    header.set("general.architecture", text("llama"));
    header.set("general.name", text(&format!("synthetic {} {}, seed {}", shape.name, args.dtype, args.seed)));
    header.set("general.quantization_version", number(2));
    header.set("llama.vocab_size", number(shape.n_vocab));
    header.set("llama.context_length", number(131_072));
    header.set("llama.embedding_length", number(shape.n_embd));
    header.set("llama.block_count", number(shape.n_layer));
    header.set("llama.feed_forward_length", number(shape.n_ff));
    header.set("llama.attention.head_count", number(shape.n_head));
    header.set("llama.attention.head_count_kv", number(shape.n_head_kv));
    header.set("llama.rope.dimension_count", number(shape.head_dim));
    header.set("llama.rope.freq_base", OwnedValue::F32(500_000.0));
    header.set("llama.attention.layer_norm_rms_epsilon", OwnedValue::F32(1e-5));
    if shape.n_expert > 0 {
        header.set("llama.expert_count", number(shape.n_expert));
        header.set("llama.expert_used_count", number(shape.n_expert_used));
    }
    header.set("tokenizer.ggml.model", text("none"));
    header
}

fn tensors(shape: &Shape, dtype: DType) -> Vec<(String, Vec<usize>, Content)> {
    let mut all = Vec::new();
    let name = dtype.name();
    let output = if name.ends_with("_K") || name.starts_with("IQ") { DType::Q6_K } else { dtype };
    let Shape { n_embd, n_ff, n_vocab, n_expert, .. } = *shape;
    let (q, kv) = (shape.n_head * shape.head_dim, shape.n_head_kv * shape.head_dim);
    all.push(("token_embd.weight".to_owned(), vec![n_embd, n_vocab], Content::Random(dtype)));
    for layer in 0..shape.n_layer {
        let mut add = |name: &str, dims: &[usize], content| {
            all.push((format!("blk.{layer}.{name}.weight"), dims.to_vec(), content));
        };
        add("attn_norm", &[n_embd], Content::Ones);
        add("attn_q", &[n_embd, q], Content::Random(dtype));
        add("attn_k", &[n_embd, kv], Content::Random(dtype));
        add("attn_v", &[n_embd, kv], Content::Random(dtype));
        add("attn_output", &[q, n_embd], Content::Random(dtype));
        add("ffn_norm", &[n_embd], Content::Ones);
        if n_expert > 0 {
            add("ffn_gate_inp", &[n_embd, n_expert], Content::Random(DType::F32));
            add("ffn_gate_exps", &[n_embd, n_ff, n_expert], Content::Random(dtype));
            add("ffn_up_exps", &[n_embd, n_ff, n_expert], Content::Random(dtype));
            add("ffn_down_exps", &[n_ff, n_embd, n_expert], Content::Random(dtype));
        } else {
            add("ffn_gate", &[n_embd, n_ff], Content::Random(dtype));
            add("ffn_up", &[n_embd, n_ff], Content::Random(dtype));
            add("ffn_down", &[n_ff, n_embd], Content::Random(dtype));
        }
    }
    all.push(("output_norm.weight".to_owned(), vec![n_embd], Content::Ones));
    all.push(("output.weight".to_owned(), vec![n_embd, n_vocab], Content::Random(output)));
    all
}
