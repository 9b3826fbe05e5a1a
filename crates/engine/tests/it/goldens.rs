//! Every synthetic model whose architecture is built, run in one batch, in pieces, from a shared prefix, and spread
//! over two devices with separate memories.

use std::sync::Arc;

use backend::Device;
use backend_cpu::{CpuConfig, CpuDevice};
use engine::{Context, ContextConfig, Entry, LoadConfig, LoadedModel, Mode, SeqId, Wanted};
use tensor::DType;
use testkit::{Golden, goldens, nmse};

/// Greatest normalized mean squared error against the reference.
const TOLERANCE: f64 = 1e-6;

/// The `pooling` of rerankers.
const RANK: u32 = 4;

/// How the tokens are given.
#[derive(Clone, Copy, Debug)]
enum Run {
    OneBatch,
    OneByOne,
    Chunks(usize),
    /// A copy of the whole is cut back to the prefix and continued.
    Restored,
}

fn device(name: &str, n_threads: usize) -> Arc<dyn Device> {
    CpuDevice::new(&CpuConfig { name: name.into(), n_threads, ..CpuConfig::default() })
}

fn built() -> Vec<Golden> {
    let known: Vec<_> = model::architectures().collect();
    let all: Vec<_> = goldens().iter().map(|name| Golden::load(name)).collect();
    all.into_iter().filter(|g| known.contains(&g.architecture.as_str())).collect()
}

fn load(golden: &Golden, devices: &[Arc<dyn Device>]) -> Result<Arc<LoadedModel>, engine::Error> {
    let file = golden.file().expect("a golden is a valid file");
    let config = LoadConfig { n_first_layers: (devices.len() > 1).then_some(1), ..LoadConfig::default() };
    LoadedModel::load(file, devices, &config, |_, _| {})
}

/// Rows the golden expects, computed in the given way.
fn compute(golden: &Golden, model: &Arc<LoadedModel>, run: Run) -> Result<Vec<f32>, engine::Error> {
    let config = ContextConfig {
        n_ctx: 320,
        n_seq_max: 3,
        n_ubatch: 64,
        key_type: DType::F32,
        value_type: DType::F32,
        snapshot_interval: 8,
        ..ContextConfig::default()
    };
    let mode = match golden.run {
        testkit::Run { pooling: Some(RANK), .. } => Mode::Scores,
        testkit::Run { embeddings: true, .. } => Mode::Embeddings,
        _ => Mode::Logits,
    };
    let tokens: Vec<u32> = golden.tokens.iter().map(|t| *t as u32).collect();
    let mut context = Context::new(Arc::clone(model), config)?;
    let mut seq = context.sequence()?;
    if context.model().model().has_encoder() {
        let wanted = if golden.run.decode { Wanted::None } else { Wanted::All };
        let rows = context.encode(&[Entry { seq, tokens: &tokens, wanted }])?.data().to_vec();
        if !golden.run.decode {
            return Ok(rows);
        }
    }
    let mut rows = Vec::new();
    let mut start = 0;
    if let Run::Restored = run {
        let half = tokens.len() / 2;
        rows = decode(&mut context, mode, seq, &tokens)?;
        let copy = context.fork(seq)?;
        start = context.truncate(copy, half)?;
        context.remove(seq);
        seq = copy;
        rows.truncate(rows.len() / tokens.len() * start);
    }
    let chunk = match run {
        Run::OneBatch => tokens.len(),
        Run::OneByOne => 1,
        Run::Chunks(n) => n,
        Run::Restored => 5,
    };
    for chunk in tokens[start..].chunks(chunk) {
        rows.extend(decode(&mut context, mode, seq, chunk)?);
    }
    Ok(rows)
}

fn decode(context: &mut Context, mode: Mode, seq: SeqId, tokens: &[u32]) -> Result<Vec<f32>, engine::Error> {
    Ok(context.decode(mode, &[Entry { seq, tokens, wanted: Wanted::All }])?.data().to_vec())
}

/// The rows the golden lists, or the pooled row. Rerankers judge the token that sees the others.
fn pick(golden: &Golden, causal: bool, rows: &[f32]) -> Vec<f32> {
    let width = rows.len() / golden.tokens.len();
    let row = |i: usize| &rows[i * width..(i + 1) * width];
    let n = golden.tokens.len();
    match (&golden.positions, golden.run.pooling) {
        (Some(positions), _) => positions.iter().flat_map(|p| row(*p as usize).to_vec()).collect(),
        (None, Some(3)) => row(n - 1).to_vec(),
        (None, Some(RANK)) if causal => row(n - 1).to_vec(),
        (None, Some(2 | RANK)) => row(0).to_vec(),
        (None, _) => (0..width).map(|i| (0..n).map(|r| row(r)[i]).sum::<f32>() / n as f32).collect(),
    }
}

fn check(devices: &[Arc<dyn Device>], runs: impl Fn(&Golden, &LoadedModel) -> Vec<Run>) {
    let mut failures = Vec::new();
    let goldens = built();
    assert!(!goldens.is_empty(), "no architecture is built");
    for golden in &goldens {
        let want = golden.expected().data;
        let model = match load(golden, devices) {
            Ok(model) => model,
            Err(e) => {
                failures.push(format!("{}: {e}", golden.name));
                continue;
            }
        };
        for run in runs(golden, &model) {
            let error = compute(golden, &model, run)
                .map(|rows| nmse(&pick(golden, model.model().hparams().causal, &rows), &want))
                .map_err(|e| e.to_string());
            if !error.as_ref().is_ok_and(|e| *e <= TOLERANCE) {
                failures.push(format!("{} {run:?}: {error:?}", golden.name));
            }
        }
    }
    assert!(failures.is_empty(), "{} of {}:\n{}", failures.len(), goldens.len(), failures.join("\n"));
}

/// Models that see all tokens at once have no other way to be given them.
fn is_causal(golden: &Golden, model: &LoadedModel) -> bool {
    golden.run.decode && model.model().hparams().causal
}

#[test]
fn one_batch() {
    check(&[device("cpu", 2)], |_, _| vec![Run::OneBatch]);
}

#[test]
fn in_pieces_and_from_a_shared_prefix() {
    let pieces = || vec![Run::OneByOne, Run::Chunks(7), Run::Restored];
    check(&[device("cpu", 1)], |golden, model| if is_causal(golden, model) { pieces() } else { vec![] });
}

#[test]
fn on_two_devices() {
    check(&[device("first", 1), device("second", 1)], |_, _| vec![Run::OneBatch]);
}
