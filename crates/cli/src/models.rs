//! Opening model files for commands: errors name the file, a person sees how far loading is.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use backend::Device;
use engine::{LoadConfig, LoadedModel};
use gguf::Gguf;
use indicatif::{ProgressBar, ProgressStyle};
use tokenizer::Tokenizer;

use crate::output;

/// The file, mapped and checked.
pub(crate) fn open(path: &Path) -> Result<Gguf> {
    Gguf::open(path).map_err(|error| match &error {
        // It names the file, which of a split one may be another.
        gguf::Error::Io { .. } => error.into(),
        _ => anyhow!(error).context(path.display().to_string()),
    })
}

/// The vocabulary of a model file.
pub(crate) fn tokenizer(path: &Path) -> Result<Tokenizer> {
    Tokenizer::from_gguf(open(path)?.metadata()).with_context(|| path.display().to_string())
}

/// The model on its devices. On a terminal, standard error shows the progress.
pub(crate) fn load(
    path: &Path,
    devices: &[Arc<dyn Device>],
    config: &LoadConfig,
) -> Result<Arc<LoadedModel>> {
    let file = open(path)?;
    let style =
        ProgressStyle::with_template("loading {msg} {bar:30} {pos}/{len} tensors").expect("a valid template");
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    let bar =
        ProgressBar::new(file.tensors().len() as u64).with_style(style).with_message(output::visible(&name));
    let model = LoadedModel::load(file, devices, config, |done, total| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    });
    bar.finish_and_clear();
    model.with_context(|| path.display().to_string())
}
