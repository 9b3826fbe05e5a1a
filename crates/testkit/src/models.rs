//! The golden files of real models: prompts, and how the reference engine continues them.

use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// What the reference engine computed with one model file. The file itself is not part of the repository.
#[derive(Clone, Debug, Deserialize)]
pub struct ModelGolden {
    /// Length of the model file.
    pub bytes: u64,
    pub cases: Vec<Continuation>,
}

/// A prompt and its most likely continuation.
#[derive(Clone, Debug, Deserialize)]
pub struct Continuation {
    pub prompt: String,
    /// Tokens of the prompt, special ones added.
    pub ids: Vec<u32>,
    /// The most likely token at each step.
    pub greedy: Vec<u32>,
    /// By how much its logit is above the second best.
    pub gap: Vec<f32>,
    /// The 20 best tokens behind the prompt, with log-probabilities.
    pub top: Vec<(u32, f32)>,
    /// Text of the greedy tokens.
    pub text: String,
}

impl ModelGolden {
    /// # Panics
    /// If there is no golden of this name, or its file is broken.
    #[must_use]
    pub fn load(name: &str) -> Self {
        read(&format!("{name}.json"))
    }

    /// What the reference computed with the weights decoded to `F32`: for each case, the best five tokens behind the
    /// prompt and behind every token of `greedy` but the last.
    ///
    /// # Panics
    /// If there is no golden of this name, or its file is broken.
    #[must_use]
    pub fn decoded(name: &str) -> Vec<Vec<[(u32, f32); 5]>> {
        read(&format!("{name}.decoded.json"))
    }
}

fn read<T: DeserializeOwned>(file: &str) -> T {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/models").join(file);
    let text = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_slice(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}
