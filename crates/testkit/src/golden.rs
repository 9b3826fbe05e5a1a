//! The golden files of architectures: a model's header, the tokens it was run on, what came out.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::npy::{Array, read_npy};

/// A synthetic model and what the reference engine computed with it.
#[derive(Clone, Debug, Deserialize)]
pub struct Golden {
    pub name: String,
    pub architecture: String,
    /// Goes into every tensor's random numbers.
    pub seed: u64,
    pub run: Run,
    /// Run as one batch of one sequence, from position 0.
    pub tokens: Vec<i32>,
    /// Of the expected rows; `None` stands for the one pooled row.
    pub positions: Option<Vec<u32>>,
    pub metadata: Vec<KeyValue>,
    pub tensors: Vec<TensorSpec>,
}

/// How the model was run.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Run {
    /// The tokens went through an encoder, or a model that sees them all at once.
    pub encode: bool,
    pub decode: bool,
    /// The rows are hidden states, not logits.
    pub embeddings: bool,
    pub pooling: Option<u32>,
}

/// A row of a GGUF header: key, type, value.
#[derive(Clone, Debug, Deserialize)]
pub struct KeyValue(pub String, pub String, pub serde_json::Value);

/// A tensor without its data, which follows from its name and the seed: dims (fastest first), type, offset, scale.
#[derive(Clone, Debug, Deserialize)]
pub struct TensorSpec {
    pub name: String,
    pub dims: Vec<u64>,
    pub dtype: String,
    pub offset: f32,
    pub scale: f32,
}

/// The names of all goldens, sorted.
///
/// # Panics
/// If the folder is not there: the goldens are part of the repository.
#[must_use]
pub fn goldens() -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(folder())
        .expect("the goldens are in the repository")
        .filter_map(|entry| {
            let name = entry.expect("a readable folder").file_name();
            name.to_str()?.strip_suffix(".json").map(str::to_owned)
        })
        .collect();
    names.sort();
    names
}

impl Golden {
    /// # Panics
    /// If there is no golden of this name, or its file is broken.
    #[must_use]
    pub fn load(name: &str) -> Self {
        let path = folder().join(format!("{name}.json"));
        let text = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        serde_json::from_slice(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    }

    /// The rows the reference computed: one a position, or the pooled one.
    ///
    /// # Panics
    /// If the file is missing or broken.
    #[must_use]
    pub fn expected(&self) -> Array {
        let path = folder().join(format!("{}.npy", self.name));
        let bytes = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        read_npy(&bytes).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/archs")
}
