//! Opening model files for commands: errors name the file, a person sees how far loading is.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
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

/// As [`open`], if it is a model.
fn open_model(path: &Path) -> Result<Gguf> {
    /// What llama.cpp's `general.type` calls files that go with a model.
    const COMPANIONS: [&str; 3] = ["mmproj", "adapter", "imatrix"];
    let file = open(path)?;
    if let Ok(Some(kind)) = file.metadata().get::<&str>("general.type")
        && COMPANIONS.contains(&kind)
    {
        bail!("{}: this file (`general.type` {kind}) goes with a model; give the model's", path.display());
    }
    Ok(file)
}

/// The vocabulary of a model file.
pub(crate) fn tokenizer(path: &Path) -> Result<Tokenizer> {
    Tokenizer::from_gguf(open_model(path)?.metadata()).with_context(|| path.display().to_string())
}

/// The model on its devices. On a terminal, standard error shows the progress.
pub(crate) fn load(
    path: &Path,
    devices: &[Arc<dyn Device>],
    config: &LoadConfig,
) -> Result<Arc<LoadedModel>> {
    let file = open_model(path)?;
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
