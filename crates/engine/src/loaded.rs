//! A model file on its devices: every weight where it will be used.

use std::path::Path;
use std::sync::Arc;

use backend::{Buffer, Bytes, Device, Placement};
use gguf::Gguf;
use model::{LoadOptions, Model};

use crate::{Error, Result};

/// How a model is loaded.
#[derive(Clone, Debug, Default)]
pub struct LoadConfig {
    pub model: LoadOptions,
    /// Layers on the first device; the others go to the last. All of them by default.
    pub n_first_layers: Option<usize>,
    /// Read weights into memory of their own instead of leaving them in the mapped file: slower to start and not shared
    /// between processes, but read faster in generating.
    pub copy_weights: bool,
    /// Keep weights in memory: the system may not page them out.
    pub lock_weights: bool,
}

/// A model whose weights are on devices. Shared by contexts.
#[derive(Debug)]
pub struct LoadedModel {
    file: Gguf,
    model: Model,
    devices: Vec<Arc<dyn Device>>,
    placement: Placement,
    weights: Vec<Option<Arc<dyn Buffer>>>,
}

impl LoadedModel {
    /// Maps the file and checks it.
    pub fn open(
        path: impl AsRef<Path>,
        devices: &[Arc<dyn Device>],
        config: &LoadConfig,
    ) -> Result<Arc<Self>> {
        Self::load(Gguf::open(path)?, devices, config, |_, _| {})
    }

    /// Loads an open file; `progress` is told how many of how many weights are done.
    pub fn load(
        file: Gguf,
        devices: &[Arc<dyn Device>],
        config: &LoadConfig,
        mut progress: impl FnMut(usize, usize),
    ) -> Result<Arc<Self>> {
        if devices.is_empty() {
            return Err(Error::NotSupported { what: "anything without a device" });
        }
        let model = Model::load(&file, &config.model)?;
        let placement = place(&model, devices.len(), config.n_first_layers);
        if config.lock_weights && !config.copy_weights {
            file.lock()?;
        }
        let n = model.weights().len();
        let mut weights = Vec::with_capacity(n);
        for (i, named) in model.weights().iter().enumerate() {
            let info = file
                .tensor(&named.name)
                .ok_or_else(|| gguf::Error::Tensor { name: named.name.clone(), problem: "is gone".into() })?;
            let data = if config.copy_weights { file.read(info)? } else { file.data(info) };
            if config.lock_weights {
                data.lock()?;
            }
            let data: Bytes = Arc::new(data);
            weights.push(Some(devices[placement.weights[i]].load(&named.weight, data)?));
            progress(i + 1, n);
        }
        Ok(Arc::new(Self { file, model, devices: devices.to_vec(), placement, weights }))
    }

    pub fn file(&self) -> &Gguf {
        &self.file
    }

    pub fn model(&self) -> &Model {
        &self.model
    }

    pub(crate) fn devices(&self) -> &[Arc<dyn Device>] {
        &self.devices
    }

    pub(crate) fn placement(&self) -> &Placement {
        &self.placement
    }

    pub(crate) fn weights(&self) -> &[Option<Arc<dyn Buffer>>] {
        &self.weights
    }
}

/// The first layers on the first device, the rest and what belongs to no layer behind them on the last; what belongs
/// to no layer in front of them (the embedding) on the first.
fn place(model: &Model, n_devices: usize, n_first_layers: Option<usize>) -> Placement {
    let last = n_devices - 1;
    let n_first = n_first_layers.unwrap_or(usize::MAX);
    let of_layer = |layer: usize| if layer < n_first { 0 } else { last };
    let outside = |name: &str| if n_first == usize::MAX || name.starts_with("token_embd") { 0 } else { last };
    Placement {
        weights: model.weights().iter().map(|w| w.layer.map_or_else(|| outside(&w.name), of_layer)).collect(),
        memories: model.memories().iter().map(|m| of_layer(m.layer)).collect(),
    }
}
