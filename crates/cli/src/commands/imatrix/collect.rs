//! Runs a text and keeps what the weights see, in a file that is whole whenever the run ends.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow};
use bench::imatrix::{Collector, is_counted};
use bench::{Perplexity, Windows};
use convert::Imatrix;
use convert::imatrix::Entry;
use engine::{Context, ContextConfig, LoadedModel, Mode};
use gguf::write::AtomicFile;
use tokenizer::{Encode, Tokenizer};

use super::write;
use crate::args::ImatrixArgs;
use crate::{devices, output};

/// Memory for the inputs of all products of a step.
const MAX_TAP_BYTES: usize = 512 << 20;
const MIN_UBATCH: usize = 16;

pub(super) fn run(args: &ImatrixArgs, base: &Imatrix) -> Result<()> {
    let path = args.model.as_deref().context("a model is needed: give one with -m")?;
    let name = path.display().to_string();
    let devices = devices::open(&args.device)?;
    let model = LoadedModel::open(path, &devices, &devices::load_config(&args.device))
        .with_context(|| name.clone())?;
    let tokenizer = Tokenizer::from_gguf(model.file().metadata()).with_context(|| name)?;
    let tokens = tokens(args, &tokenizer)?;
    let bos = tokenizer.vocab().special().bos.filter(|_| tokenizer.vocab().add_bos());
    let windows = Windows::side_by_side(tokens.len(), args.ctx_size, args.ctx_size, bos)?;
    let windows = usize::try_from(args.chunks).map_or(windows.clone(), |n| windows.limit(n));

    let counted = |name: &str| is_counted(name, args.process_output);
    let with_logits = !args.no_ppl || args.process_output || !model.model().supports(Mode::Embeddings);
    let mode = if with_logits { Mode::Logits } else { Mode::Embeddings };
    let config = ContextConfig {
        n_ctx: args.ctx_size,
        n_ubatch: ubatch(args, &model),
        n_snapshots: 0,
        ..ContextConfig::default()
    };
    // Whether the result can be kept is better known before the work.
    drop(AtomicFile::create(&args.output)?);
    let mut context = Context::new(Arc::clone(&model), config)?;
    context.observe(mode, counted)?;

    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut judge = Perplexity::new(args.device.threads.map_or(cores, usize::from));
    let mut collector = Collector::default();
    output::note(&format!("{} chunks of {} tokens", windows.n_windows, args.ctx_size));
    let done =
        collector.run(&mut context, mode, &windows, &tokens, &mut judge, |window, collector, judge| {
            let n = window + 1;
            if judge.n_scored() > 0 {
                output::emit(&format!("[{n}]{:.4},", judge.estimate().value))?;
            }
            let is_last = n == windows.n_windows;
            let is_copy = args.save_frequency > 0 && n.is_multiple_of(args.save_frequency);
            if is_last || is_copy || n.is_multiple_of(args.output_frequency.max(1)) {
                let imatrix = together(args, base, collector)?;
                write(args, &imatrix, &args.output)?;
                if is_copy {
                    write(args, &imatrix, &copy_path(args, imatrix.n_chunks))?;
                }
            }
            anyhow::Ok(())
        });
    if judge.n_scored() > 0 {
        // Ends the line of estimates, also before an error.
        output::emit("\n")?;
    }
    done?;
    if judge.n_scored() > 0 {
        let ppl = judge.estimate();
        output::emit(&format!("Final estimate: PPL = {:.4} +/- {:.5}\n", ppl.value, ppl.error))?;
    }
    warn_of_unused(&collector);
    Ok(())
}

fn tokens(args: &ImatrixArgs, tokenizer: &Tokenizer) -> Result<Vec<u32>> {
    let path = args.file.as_deref().context("a text is needed: give one with -f")?;
    let mut text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    if text.ends_with('\n') {
        text.pop();
    }
    let options = Encode { add_special: true, parse_special: args.parse_special };
    let mut tokens = tokenizer.encode(&text, options);
    let passed = args.from_chunk.saturating_mul(args.ctx_size);
    if passed >= tokens.len() {
        return Err(anyhow!(
            "--from-chunk {}: the text has {} tokens, {} chunks",
            args.from_chunk,
            tokens.len(),
            tokens.len() / args.ctx_size
        ));
    }
    tokens.drain(..passed);
    Ok(tokens)
}

/// As many tokens a step as the memory for their inputs allows.
fn ubatch(args: &ImatrixArgs, model: &LoadedModel) -> usize {
    let weights = model.model().weights().iter().filter(|w| is_counted(&w.name, args.process_output));
    let bytes: usize = weights.map(|w| 4 * w.weight.shape.dim(0)).sum();
    (MAX_TAP_BYTES / bytes.max(1)).clamp(MIN_UBATCH, args.ubatch_size.max(MIN_UBATCH))
}

/// What was there before, and what has been collected since.
fn together(args: &ImatrixArgs, base: &Imatrix, collector: &Collector) -> Result<Imatrix> {
    let entries = collector.squares().iter().map(|(name, squares)| {
        let sums = squares.sums.iter().map(|v| *v as f32).collect();
        let counts = squares.counts.iter().map(|v| *v as f32).collect();
        (name.clone(), Entry { sums, counts })
    });
    let datasets = args.file.iter().map(|f| f.display().to_string()).collect();
    let own = Imatrix { entries: entries.collect(), datasets, ..Imatrix::default() };
    let mut all = base.clone();
    all.merge(own, args.ctx_size)
        .map_err(|problem| anyhow!("--in-file does not fit this model: {problem}"))?;
    Ok(all)
}

fn copy_path(args: &ImatrixArgs, n_chunks: u32) -> PathBuf {
    let mut path = args.output.clone().into_os_string();
    path.push(format!(".at_{n_chunks}"));
    path.into()
}

/// Experts that no token of the text was sent to have no values.
fn warn_of_unused(collector: &Collector) {
    for (name, squares) in collector.squares() {
        let n_unused = squares.counts.iter().filter(|c| **c == 0).count();
        if n_unused > 0 {
            let n = squares.counts.len();
            output::note(&format!("note: {name}: {n_unused} of {n} experts were never used by this text"));
        }
    }
}
