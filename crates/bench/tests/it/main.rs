//! Judging small synthetic models: the same numbers however windows, steps, threads and tasks are cut; and what is
//! collected is what went in.

mod imatrix;
mod tasks;
mod windows;

use std::sync::Arc;

use backend_cpu::{CpuConfig, CpuDevice};
use bench::{Judge, Result, Scored, Windows};
use engine::{Context, ContextConfig, LoadConfig, LoadedModel};
use testkit::Golden;

/// A model of two layers over 128 tokens.
fn context(golden: &str, n_ubatch: usize) -> Context {
    let device = CpuDevice::new(&CpuConfig { n_threads: 2, ..CpuConfig::default() });
    let file = Golden::load(golden).file().expect("a valid file");
    let model = LoadedModel::load(file, &[device], &LoadConfig::default(), |_, _| {}).expect("a valid model");
    let config =
        ContextConfig { n_ctx: 512, n_seq_max: 8, n_ubatch, n_snapshots: 0, ..ContextConfig::default() };
    Context::new(Arc::clone(&model), config).expect("room for a small model")
}

fn text(n: usize) -> Vec<u32> {
    (0..n as u32).map(|i| (i * i + 7 * i) % 126 + 1).collect()
}

/// Keeps everything it is given.
#[derive(Debug, Default)]
struct Recorder {
    logits: Vec<f32>,
    targets: Vec<u32>,
    positions: Vec<usize>,
}

impl Judge for Recorder {
    fn judge(&mut self, scored: Scored<'_>) -> Result<()> {
        self.logits.extend(scored.logits);
        self.targets.extend(scored.targets);
        self.positions.extend(scored.position..scored.position + scored.targets.len());
        Ok(())
    }
}

fn record(context: &mut Context, windows: &Windows, tokens: &[u32]) -> Recorder {
    let mut recorder = Recorder::default();
    let mut done = Vec::new();
    let result: Result<()> = windows.run(context, tokens, &mut recorder, |window, _| {
        done.push(window);
        Ok(())
    });
    result.expect("a small model runs");
    assert_eq!(done, (0..windows.n_windows).collect::<Vec<_>>());
    recorder
}
