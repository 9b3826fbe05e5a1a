//! `llama-rs eval`: logits or hidden states of given tokens.

use anyhow::{Context as _, Result, bail};
use engine::{Context, ContextConfig, Entry, LoadedModel, Mode, SeqId, Wanted};

use crate::args::{EvalArgs, Pooling};
use crate::{devices, npy};

pub(crate) fn run(args: &EvalArgs) -> Result<()> {
    if args.tokens.is_empty() {
        bail!("--tokens: at least one token id is needed");
    }
    let devices = devices::open(&args.device)?;
    let model = LoadedModel::open(args.model.path(), &devices, &devices::load_config(&args.device))
        .with_context(|| args.model.path().display().to_string())?;
    let n = args.tokens.len();
    let kv_type = args.kv;
    let config = ContextConfig {
        n_ctx: n,
        n_ubatch: n,
        key_type: kv_type,
        value_type: kv_type,
        n_snapshots: 0,
        ..ContextConfig::default()
    };
    let mut context = Context::new(model, config)?;
    let rows = rows(&mut context, args)?;
    let rows = pool(rows, n, args.pooling);
    let n_rows = if args.pooling == Pooling::None { n } else { 1 };
    npy::write(&args.out, n_rows, rows.len() / n_rows, &rows)
}

/// One row a token.
fn rows(context: &mut Context, args: &EvalArgs) -> Result<Vec<f32>> {
    let seq = context.sequence()?;
    let mode = if args.embeddings { Mode::Embeddings } else { Mode::Logits };
    let model = context.model().model();
    if model.has_encoder() {
        let decodes = model.supports(mode);
        let wanted = if decodes { Wanted::None } else { Wanted::All };
        let encoded = context.encode(&[Entry { seq, tokens: &args.tokens, wanted }])?.data().to_vec();
        if !decodes {
            return Ok(encoded);
        }
    }
    let whole = !context.model().model().hparams().causal;
    let chunk = args.chunk.filter(|_| !whole).map_or(args.tokens.len(), |n| n as usize);
    let mut rows = Vec::new();
    for tokens in args.tokens.chunks(chunk) {
        rows.extend(decode(context, mode, seq, tokens)?);
    }
    Ok(rows)
}

fn decode(context: &mut Context, mode: Mode, seq: SeqId, tokens: &[u32]) -> Result<Vec<f32>> {
    Ok(context.decode(mode, &[Entry { seq, tokens, wanted: Wanted::All }])?.data().to_vec())
}

fn pool(rows: Vec<f32>, n: usize, pooling: Pooling) -> Vec<f32> {
    let width = rows.len() / n;
    match pooling {
        Pooling::None => rows,
        Pooling::Cls => rows[..width].to_vec(),
        Pooling::Last => rows[(n - 1) * width..].to_vec(),
        Pooling::Mean => {
            let sum = |i: usize| (0..n).map(|row| f64::from(rows[row * width + i])).sum::<f64>();
            (0..width).map(|i| (sum(i) / n as f64) as f32).collect()
        }
    }
}
