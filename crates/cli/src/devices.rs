//! The devices a command runs on: the one place that names concrete backends.

use std::sync::Arc;

use anyhow::{Result, bail};
use backend::Device;
use backend_cpu::{CpuConfig, CpuDevice};
use engine::LoadConfig;

use crate::args::{Backend, DeviceArgs, LoadMode};
use crate::output;

/// How many threads the processor's device has.
pub(crate) fn n_threads(args: &DeviceArgs) -> usize {
    args.threads.map_or_else(|| CpuConfig::default().n_threads, Into::into)
}

/// The devices the flags ask for, fastest first.
pub(crate) fn open(args: &DeviceArgs) -> Result<Vec<Arc<dyn Device>>> {
    let mut config = CpuConfig {
        n_threads: n_threads(args),
        n_threads_batch: args.threads_batch.map(Into::into),
        ..CpuConfig::default()
    };
    if let Some(name) = &args.isa {
        let known = backend_cpu::available_isas();
        let called = |isa: &backend_cpu::isa::Kind| format!("{isa:?}").to_lowercase();
        config.isa = known.iter().copied().find(|isa| called(isa) == *name);
        if config.isa.is_none() {
            let known: Vec<_> = known.iter().map(called).collect();
            bail!("--isa {name}: this processor has {}", known.join(", "));
        }
    }
    if args.n_gpu_layers.is_some_and(|n| n > 0) {
        output::note("note: no GPU backend is built in; all layers run on the processor");
    }
    match args.backend {
        Backend::Cpu => Ok(vec![CpuDevice::new(&config)]),
    }
}

/// How the flags say that weights come to the devices.
pub(crate) fn load_config(args: &DeviceArgs) -> LoadConfig {
    LoadConfig {
        copy_weights: matches!(args.load_mode, LoadMode::None | LoadMode::Mlock),
        lock_weights: matches!(args.load_mode, LoadMode::Mlock | LoadMode::MmapMlock),
        ..LoadConfig::default()
    }
}
