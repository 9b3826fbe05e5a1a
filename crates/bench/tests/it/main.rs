//! Judging a small synthetic model, against the definitions written out: one sequence, one token after the other.

mod imatrix;
mod perplexity;
mod tasks;

use std::sync::{Arc, OnceLock};

use backend_cpu::{CpuConfig, CpuDevice};
use engine::{Context, ContextConfig, Entry, LoadConfig, LoadedModel, Mode, Wanted};
use testkit::Golden;

/// Of the models: letters and what follows them in ASCII.
const N_VOCAB: u32 = 128;

fn model(golden: &str) -> Arc<LoadedModel> {
    let device = CpuDevice::new(&CpuConfig { n_threads: 2, ..CpuConfig::default() });
    let file = Golden::load(golden).file().expect("a valid file");
    LoadedModel::load(file, &[device], &LoadConfig::default(), |_, _| {}).expect("a valid model")
}

/// A dense Llama of two layers, read once.
fn dense() -> Arc<LoadedModel> {
    static DENSE: OnceLock<Arc<LoadedModel>> = OnceLock::new();
    Arc::clone(DENSE.get_or_init(|| model("llama-dense")))
}

fn context(model: &Arc<LoadedModel>, n_ctx: usize, n_seq_max: usize, n_ubatch: usize) -> Context {
    let config = ContextConfig { n_ctx, n_seq_max, n_ubatch, n_snapshots: 0, ..ContextConfig::default() };
    Context::new(Arc::clone(model), config).expect("a context")
}

/// Tokens that look like no pattern.
fn text(n: u32) -> Vec<u32> {
    (0..n).map(|i| (i * i * 7 + i * 31 + i / 5) % N_VOCAB).collect()
}

/// Of each token but the first, its log-probability behind those before it.
fn log_probs(model: &Arc<LoadedModel>, tokens: &[u32]) -> Vec<f64> {
    let mut context = context(model, tokens.len() + 64, 1, 16);
    let seq = context.sequence().expect("room for one");
    let mut found = Vec::new();
    for pair in tokens.windows(2) {
        let entry = Entry { seq, tokens: &pair[..1], wanted: Wanted::Last };
        let logits = context.decode(Mode::Logits, &[entry]).expect("a step").data().to_vec();
        let total: f64 = logits.iter().map(|l| f64::from(*l).exp()).sum();
        found.push(f64::from(logits[pair[1] as usize]) - total.ln());
    }
    found
}

fn assert_close(found: f64, wanted: f64, what: &str) {
    assert!((found - wanted).abs() <= 2e-3 * (1.0 + wanted.abs()), "{what}: {found} instead of {wanted}");
}
