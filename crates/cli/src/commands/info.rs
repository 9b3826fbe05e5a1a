//! `llama-rs info`: what a model file is, without loading it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::Result;
use gguf::{Gguf, Value};
use serde_json::json;

use crate::args::InfoArgs;
use crate::{models, output};

/// Elements of an array shown to people.
const SHOWN_ELEMENTS: usize = 6;
/// Characters of a string shown to people.
const SHOWN_CHARS: usize = 100;

pub(crate) fn run(args: &InfoArgs) -> Result<()> {
    let file = models::open(args.model.path())?;
    let text = if args.json { as_json(&file, args.tensors) } else { as_text(&file, args.tensors)? };
    output::emit(&text)
}

fn n_parameters(file: &Gguf) -> u64 {
    file.tensors().iter().map(|t| t.n_elements()).sum()
}

/// Bytes of all tensors by type, largest first.
fn by_type(file: &Gguf) -> Vec<(&'static str, usize, u64)> {
    let mut types: BTreeMap<&'static str, (usize, u64)> = BTreeMap::new();
    for tensor in file.tensors() {
        let entry = types.entry(tensor.ty.name()).or_default();
        entry.0 += 1;
        entry.1 += tensor.n_bytes();
    }
    let mut types: Vec<_> = types.into_iter().map(|(name, (n, bytes))| (name, n, bytes)).collect();
    types.sort_by_key(|t| std::cmp::Reverse(t.2));
    types
}

fn as_text(file: &Gguf, tensors: bool) -> Result<String> {
    let mut out = String::new();
    writeln!(out, "GGUF version {}, {} MiB", file.version(), file.file_bytes() >> 20)?;
    writeln!(out, "{} tensors, {:.1} M parameters", file.tensors().len(), n_parameters(file) as f64 / 1e6)?;
    for (name, n, bytes) in by_type(file) {
        writeln!(out, "  {name:8} {n:5} tensors {:>9.1} MiB", bytes as f64 / f64::from(1 << 20))?;
    }
    writeln!(out, "{} metadata entries", file.metadata().len())?;
    for (key, value) in file.metadata().iter() {
        writeln!(out, "  {key} = {}", shown(&value))?;
    }
    if tensors {
        writeln!(out, "tensors")?;
        for t in file.tensors() {
            writeln!(out, "  {:40} {:8} {:?}", t.name, t.ty.name(), t.dims)?;
        }
    }
    Ok(out)
}

fn shown(value: &Value<'_>) -> String {
    match value {
        Value::Array(array) => {
            let first: Vec<_> = array.iter().take(SHOWN_ELEMENTS).map(|v| shown(&v)).collect();
            let more = if array.len() > SHOWN_ELEMENTS { ", ..." } else { "" };
            format!("{} [{}{more}]", value.type_name(), first.join(", "))
        }
        Value::String(s) => {
            let text = String::from_utf8_lossy(s);
            let cut: String = text.chars().take(SHOWN_CHARS).collect();
            let more = if cut.len() < text.len() { "..." } else { "" };
            format!("{cut:?}{more}")
        }
        other => json_value(other).to_string(),
    }
}

/// A value with all its elements; bytes that are no UTF-8 are replaced.
pub(crate) fn json_value(value: &Value<'_>) -> serde_json::Value {
    match *value {
        Value::U8(v) => json!(v),
        Value::I8(v) => json!(v),
        Value::U16(v) => json!(v),
        Value::I16(v) => json!(v),
        Value::U32(v) => json!(v),
        Value::I32(v) => json!(v),
        Value::U64(v) => json!(v),
        Value::I64(v) => json!(v),
        Value::F32(v) => json!(v),
        Value::F64(v) => json!(v),
        Value::Bool(v) => json!(v),
        Value::String(v) => json!(String::from_utf8_lossy(v)),
        Value::Array(v) => v.iter().map(|v| json_value(&v)).collect(),
    }
}

pub(crate) fn as_json(file: &Gguf, tensors: bool) -> String {
    let metadata: serde_json::Map<_, _> =
        file.metadata().iter().map(|(key, value)| (key.to_owned(), json_value(&value))).collect();
    let types: Vec<_> = by_type(file)
        .into_iter()
        .map(|(name, n, bytes)| json!({ "type": name, "tensors": n, "bytes": bytes }))
        .collect();
    let mut info = json!({
        "version": file.version(),
        "file_bytes": file.file_bytes(),
        "n_tensors": file.tensors().len(),
        "n_parameters": n_parameters(file),
        "types": types,
        "metadata": metadata,
    });
    if tensors {
        info["tensors"] = file
            .tensors()
            .iter()
            .map(|t| json!({ "name": t.name, "type": t.ty.name(), "dims": t.dims, "bytes": t.n_bytes() }))
            .collect();
    }
    format!("{info}\n")
}
