//! `llama-rs perplexity`: how well a model predicts a text, how far it is from another, how well it does tasks.

mod divergence;
mod tasks;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result};
use bench::{BaseHeader, BaseWriter, Perplexity, SavedPerplexity, Windows};
use engine::{Context, ContextConfig, LoadedModel};
use gguf::write::AtomicFile;
use tokenizer::{Encode, Tokenizer};

use crate::args::PerplexityArgs;
use crate::{devices, output};

/// A model, its vocabulary, and how to run it.
pub(crate) struct Subject<'a> {
    args: &'a PerplexityArgs,
    model: Arc<LoadedModel>,
    tokenizer: Tokenizer,
    /// To judge logits with.
    n_threads: usize,
}

pub(crate) fn run(args: &PerplexityArgs) -> Result<()> {
    let name = args.model.display().to_string();
    let devices = devices::open(&args.device)?;
    let model = LoadedModel::open(&args.model, &devices, &devices::load_config(&args.device))
        .with_context(|| name.clone())?;
    let tokenizer = Tokenizer::from_gguf(model.file().metadata()).with_context(|| name)?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let n_threads = args.device.threads.map_or(cores, usize::from);
    let subject = Subject { args, model, tokenizer, n_threads };
    if args.hellaswag || args.winogrande || args.multiple_choice {
        tasks::run(&subject)
    } else if args.kl_divergence {
        divergence::run(&subject)
    } else {
        perplexity(&subject)
    }
}

impl Subject<'_> {
    fn context(&self, n_ctx: usize, n_seq_max: usize) -> Result<Context> {
        let config = ContextConfig {
            n_ctx,
            n_seq_max,
            n_ubatch: self.args.ubatch_size,
            key_type: self.args.cache.cache_type_k,
            value_type: self.args.cache.cache_type_v,
            n_snapshots: 0,
            ..ContextConfig::default()
        };
        Ok(Context::new(Arc::clone(&self.model), config)?)
    }

    fn tokens(&self, text: &str) -> Vec<u32> {
        self.tokenizer.encode(text, Encode { add_special: true, parse_special: false })
    }

    /// What each window begins with, if the model wants it.
    fn bos(&self) -> Option<u32> {
        self.tokenizer.vocab().special().bos.filter(|_| self.tokenizer.vocab().add_bos())
    }

    fn n_vocab(&self) -> usize {
        self.model.model().hparams().n_vocab
    }

    fn bytes(&self) -> Result<(&Path, Vec<u8>)> {
        let path = self.args.file.as_deref().context("a text is needed: give one with -f")?;
        Ok((path, fs::read(path).with_context(|| path.display().to_string())?))
    }

    /// The text, without the line feed that ends the file.
    fn text(&self) -> Result<String> {
        let (path, bytes) = self.bytes()?;
        let mut text = String::from_utf8(bytes)
            .map_err(|e| e.utf8_error())
            .with_context(|| format!("{} is not UTF-8 text", path.display()))?;
        if text.ends_with('\n') {
            text.pop();
        }
        Ok(text)
    }

    fn limited(&self, windows: Windows) -> Windows {
        usize::try_from(self.args.chunks).map_or(windows.clone(), |n| windows.limit(n))
    }
}

fn perplexity(subject: &Subject<'_>) -> Result<()> {
    let args = subject.args;
    let tokens = subject.tokens(&subject.text()?);
    if let Some(stride) = args.ppl_stride {
        // Half a stride more in front, so that what is scored has about as much behind it as without a stride.
        let windows = Windows::strided(tokens.len(), args.ctx_size + stride / 2, stride)?;
        return estimate(subject, &tokens, &subject.limited(windows));
    }
    let windows = Windows::side_by_side(tokens.len(), args.ctx_size, args.batch_size, subject.bos())?;
    let windows = subject.limited(windows);
    match &args.kl_divergence_base {
        Some(path) => save(subject, &tokens, &windows, path),
        None => estimate(subject, &tokens, &windows),
    }
}

fn estimate(subject: &Subject<'_>, tokens: &[u32], windows: &Windows) -> Result<()> {
    let mut judge = Perplexity::new(subject.n_threads);
    let mut progress = Progress::new(windows);
    let mut context = subject.context(windows.n_alive(), windows.n_sequences())?;
    let table = subject.args.ppl_output_type == 1;
    windows.run(&mut context, tokens, &mut judge, |window, judge| {
        progress.done(window);
        running(table, windows.start(window), window, judge)
    })?;
    conclude(&judge)
}

/// As [`estimate`], and keeps the log-probabilities in a file that takes its name when it is whole.
fn save(subject: &Subject<'_>, tokens: &[u32], windows: &Windows, path: &Path) -> Result<()> {
    let of = || path.display().to_string();
    let file = AtomicFile::create(path)?;
    let header = BaseHeader {
        n_ctx: windows.n_ctx,
        n_vocab: subject.n_vocab(),
        n_windows: windows.n_windows,
        tokens: tokens[..windows.n_windows * windows.n_ctx].to_vec(),
    };
    let writer = BaseWriter::new(file, &header).with_context(of)?;
    let mut judge = SavedPerplexity::new(subject.n_threads, writer);
    let mut progress = Progress::new(windows);
    let mut context = subject.context(windows.n_alive(), windows.n_sequences())?;
    let table = subject.args.ppl_output_type == 1;
    windows.run(&mut context, tokens, &mut judge, |window, judge| {
        progress.done(window);
        running(table, windows.start(window), window, &judge.perplexity)
    })?;
    let perplexity = judge.perplexity;
    judge.finish().with_context(of)?.sync()?.publish()?;
    conclude(&perplexity)
}

/// The estimate so far.
fn running(table: bool, start: usize, window: usize, judge: &Perplexity) -> Result<()> {
    let (ppl, log) = (judge.estimate(), judge.log_estimate());
    if table {
        output::emit(&format!("{start:8}  {:.4}  {:.6}  {:.6}\n", ppl.value, log.value, log.error))
    } else {
        output::emit(&format!("[{}]{:.4},", window + 1, ppl.value))
    }
}

fn conclude(judge: &Perplexity) -> Result<()> {
    let ppl = judge.estimate();
    output::emit(&format!("\nFinal estimate: PPL = {:.4} +/- {:.5}\n", ppl.value, ppl.error))
}

/// Says how long it will take, once that is known.
pub(crate) struct Progress {
    start: Instant,
    n: usize,
    n_at_once: usize,
    is_told: bool,
}

impl Progress {
    pub(crate) fn new(windows: &Windows) -> Self {
        let (n, n_at_once) = (windows.n_windows, windows.n_sequences());
        output::note(&format!("{n} windows of {} tokens, {n_at_once} at once", windows.n_ctx));
        Self { start: Instant::now(), n, n_at_once, is_told: false }
    }

    pub(crate) fn done(&mut self, window: usize) {
        if self.is_told || window + 1 < self.n_at_once {
            return;
        }
        self.is_told = true;
        let left = self.start.elapsed() * (self.n - window - 1) as u32 / (window + 1) as u32;
        output::note(&format!("about {:.1} minutes left", left.as_secs_f64() / 60.0));
    }
}
