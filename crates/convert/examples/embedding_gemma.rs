//! Turns EmbeddingGemma as its makers give it (`config.json`, `model.safetensors`) into a GGUF file of architecture
//! `gemma-embedding`, all F32, with the vocabulary of a Gemma 3 file, which is the same. For comparing quantizations;
//! it is no converter: it knows this one model, without the dense layers behind it.

use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::path::Path;

use gguf::write::{Header, OwnedValue, Writer};
use gguf::{Gguf, TensorType};
use serde_json::Value;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [folder, vocabulary, target] = &args[..] else {
        return Err("usage: embedding_gemma FOLDER GEMMA3.gguf OUT.gguf".into());
    };
    let folder = Path::new(folder);
    let config: Value = serde_json::from_slice(&fs::read(folder.join("config.json"))?)?;
    let mut weights = BufReader::new(File::open(folder.join("model.safetensors"))?);
    let tensors = tensors(&mut weights)?;

    let mut header = metadata(&config)?;
    for (key, value) in
        Gguf::open(vocabulary)?.metadata().iter().filter(|(key, _)| key.starts_with("tokenizer."))
    {
        header.set(key, value);
    }
    let f32 = TensorType::from_id(0)?;
    for tensor in &tensors {
        header.tensor(&gguf_name(&tensor.name)?, &tensor.dims, f32);
    }
    let mut writer = Writer::create(target, &header)?;
    for tensor in &tensors {
        copy(&mut weights, tensor, &mut writer)?;
    }
    Ok(writer.finish()?)
}

fn metadata(config: &Value) -> Result<Header> {
    let mut header = Header::new();
    header.set("general.architecture", "gemma-embedding").set("general.name", "EmbeddingGemma 300M");
    let of = |key: &str| config[key].as_f64().ok_or_else(|| format!("config.json: no number {key:?}"));
    for (key, from) in [
        ("context_length", "max_position_embeddings"),
        ("embedding_length", "hidden_size"),
        ("block_count", "num_hidden_layers"),
        ("feed_forward_length", "intermediate_size"),
        ("attention.head_count", "num_attention_heads"),
        ("attention.head_count_kv", "num_key_value_heads"),
        ("attention.key_length", "head_dim"),
        ("attention.value_length", "head_dim"),
        ("attention.sliding_window", "sliding_window"),
    ] {
        header.set(&format!("gemma-embedding.{key}"), OwnedValue::U32(of(from)? as u32));
    }
    for (key, from) in
        [("rope.freq_base", "rope_theta"), ("attention.layer_norm_rms_epsilon", "rms_norm_eps")]
    {
        header.set(&format!("gemma-embedding.{key}"), OwnedValue::F32(of(from)? as f32));
    }
    // The mean of all tokens.
    header.set("gemma-embedding.pooling_type", OwnedValue::U32(1));
    header.set("general.file_type", OwnedValue::U32(0));
    Ok(header)
}

/// A tensor of a safetensors file, all values F32.
struct Tensor {
    name: String,
    /// Contiguous first.
    dims: Vec<u64>,
    start: u64,
}

/// All tensors in the order of their bytes, which follow each other: after this, the reader stands at the first.
fn tensors(file: &mut impl Read) -> Result<Vec<Tensor>> {
    let mut len = [0; 8];
    file.read_exact(&mut len)?;
    let mut text = vec![0; usize::try_from(u64::from_le_bytes(len))?];
    file.read_exact(&mut text)?;
    let list: serde_json::Map<String, Value> = serde_json::from_slice(&text)?;
    let mut tensors = Vec::new();
    for (name, tensor) in list.into_iter().filter(|(name, _)| name != "__metadata__") {
        let shape: Option<Vec<u64>> =
            tensor["shape"].as_array().and_then(|shape| shape.iter().rev().map(Value::as_u64).collect());
        match (tensor["dtype"].as_str(), shape, tensor["data_offsets"][0].as_u64()) {
            (Some("F32"), Some(dims), Some(start)) => tensors.push(Tensor { name, dims, start }),
            _ => return Err(format!("model.safetensors: {name} is no F32 tensor: {tensor}").into()),
        }
    }
    tensors.sort_by_key(|tensor| tensor.start);
    let mut end = 0;
    for tensor in &tensors {
        if tensor.start != end {
            return Err(
                format!("model.safetensors: {} begins at {}, not {end}", tensor.name, tensor.start).into()
            );
        }
        end += tensor.dims.iter().product::<u64>() * 4;
    }
    Ok(tensors)
}

fn gguf_name(name: &str) -> Result<String> {
    let unknown = || format!("model.safetensors: the tensor {name} is not one of EmbeddingGemma");
    let (block, part) = match name.strip_prefix("layers.") {
        Some(rest) => {
            let (n, part) = rest.split_once('.').ok_or_else(unknown)?;
            (format!("blk.{n}."), part)
        }
        None => (String::new(), name),
    };
    let part = match part.strip_suffix(".weight").ok_or_else(unknown)? {
        "embed_tokens" => "token_embd",
        "norm" => "output_norm",
        "input_layernorm" => "attn_norm",
        "self_attn.q_proj" => "attn_q",
        "self_attn.k_proj" => "attn_k",
        "self_attn.v_proj" => "attn_v",
        "self_attn.o_proj" => "attn_output",
        "self_attn.q_norm" => "attn_q_norm",
        "self_attn.k_norm" => "attn_k_norm",
        "post_attention_layernorm" => "post_attention_norm",
        "pre_feedforward_layernorm" => "ffn_norm",
        "mlp.gate_proj" => "ffn_gate",
        "mlp.up_proj" => "ffn_up",
        "mlp.down_proj" => "ffn_down",
        "post_feedforward_layernorm" => "post_ffw_norm",
        _ => return Err(unknown().into()),
    };
    Ok(format!("{block}{part}.weight"))
}

/// Copies one tensor; to gains, which are stored as their distance from one, one is added.
fn copy(from: &mut impl Read, tensor: &Tensor, to: &mut Writer) -> Result<()> {
    let mut row = vec![0; usize::try_from(tensor.dims[0])? * 4];
    for _ in 0..tensor.dims[1..].iter().product() {
        from.read_exact(&mut row)?;
        if tensor.name.ends_with("norm.weight") {
            for bytes in row.as_chunks_mut().0 {
                *bytes = (f32::from_le_bytes(*bytes) + 1.0).to_le_bytes();
            }
        }
        to.append(&row)?;
    }
    Ok(())
}
