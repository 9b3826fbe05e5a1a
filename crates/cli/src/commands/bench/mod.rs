//! `llama-rs bench`: tokens per second of prompts and generation, in the tests users know from llama-bench.

mod bandwidth;
mod batched;

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use engine::{Context, ContextConfig, Entry, LoadedModel, Mode, SeqId, Wanted};
use serde_json::json;

use crate::args::{BenchArgs, BenchOutput};
use crate::{devices, output};

/// One measurement: a prompt, then a generation, behind what is already there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Test {
    n_prompt: usize,
    n_gen: usize,
    n_depth: usize,
}

impl Test {
    fn name(&self) -> String {
        let mut name = match (self.n_prompt, self.n_gen) {
            (p, 0) => format!("pp{p}"),
            (0, n) => format!("tg{n}"),
            (p, n) => format!("pp{p}+tg{n}"),
        };
        if self.n_depth > 0 {
            write!(name, " @ d{}", self.n_depth).expect("a string takes any text");
        }
        name
    }

    fn n_tokens(&self) -> usize {
        self.n_prompt + self.n_gen
    }
}

/// What was measured.
struct Measured {
    test: Test,
    samples: Vec<Duration>,
    /// Bytes a second of weights, over those that memory can be read with.
    memory_share: Option<f64>,
}

impl Measured {
    /// Measures memory, if this is a generation.
    fn compare_with_memory(&mut self, model: &LoadedModel, n_threads: usize) {
        let is_generation = self.test.n_prompt == 0;
        let bytes = bandwidth::weights_of_a_token(model).filter(|_| is_generation);
        self.memory_share = bytes.map(|n| n as f64 * self.rate().0 / bandwidth::of_memory(n_threads));
    }

    /// Mean and standard deviation of tokens per second.
    fn rate(&self) -> (f64, f64) {
        let rates: Vec<f64> =
            self.samples.iter().map(|s| self.test.n_tokens() as f64 / s.as_secs_f64()).collect();
        let n = rates.len() as f64;
        let mean = rates.iter().sum::<f64>() / n;
        let squares: f64 = rates.iter().map(|r| (r - mean) * (r - mean)).sum();
        (mean, if rates.len() > 1 { (squares / (n - 1.0)).sqrt() } else { 0.0 })
    }
}

pub(crate) fn run(args: &BenchArgs) -> Result<()> {
    let is_batched = !args.npl.is_empty();
    let tests = if is_batched { Vec::new() } else { tests(args)? };
    let mut records = Vec::new();
    if args.output == BenchOutput::Md && !is_batched {
        let (title, rule) = if args.bandwidth { (" of memory |", " ---: |") } else { ("", "") };
        output::emit(&format!(
            "| model | size | threads | test | t/s |{title}\n| --- | ---: | ---: | ---: | ---: |{rule}\n"
        ))?;
    }
    for path in &args.models {
        let devices = devices::open(&args.device)?;
        let description = devices[0].info().description;
        let model = LoadedModel::open(path, &devices, &devices::load_config(&args.device))
            .with_context(|| path.display().to_string())?;
        if is_batched {
            records.extend(batched::run(args, path, &model)?);
            continue;
        }
        let mut is_first = true;
        for &test in &tests {
            let warm_up = !args.no_warmup && std::mem::take(&mut is_first);
            let mut measured = measure(&model, test, args, warm_up)?;
            if args.bandwidth {
                measured.compare_with_memory(&model, devices::n_threads(&args.device));
            }
            if args.output == BenchOutput::Md {
                let share = match measured.memory_share {
                    Some(share) => format!(" {:.0} % |", 100.0 * share),
                    None if args.bandwidth => " |".into(),
                    None => String::new(),
                };
                output::emit(&format!("{}{share}\n", line(path, &model, &description, &measured)))?;
            }
            records.push(record(path, &model, &description, &measured));
        }
    }
    if args.output == BenchOutput::Json {
        output::emit(&format!("{}\n", serde_json::to_string_pretty(&records)?))?;
    }
    Ok(())
}

fn tests(args: &BenchArgs) -> Result<Vec<Test>> {
    let mut tests = Vec::new();
    for &n_depth in &args.n_depth {
        let mut add = |n_prompt, n_gen| {
            if n_prompt + n_gen > 0 {
                tests.push(Test { n_prompt, n_gen, n_depth });
            }
        };
        args.n_prompt.iter().for_each(|&p| add(p, 0));
        args.n_gen.iter().for_each(|&n| add(0, n));
        for pair in &args.prompt_gen {
            let numbers: Vec<usize> = pair
                .split(',')
                .map(|n| n.trim().parse().with_context(|| format!("--pg {pair}: {n:?} is not a number")))
                .collect::<Result<_>>()?;
            let [p, n] = numbers[..] else {
                bail!("--pg {pair}: give a prompt and a generation length, as 512,128")
            };
            add(p, n);
        }
    }
    if tests.is_empty() {
        bail!("nothing to measure: all lengths are 0");
    }
    Ok(tests)
}

fn measure(model: &Arc<LoadedModel>, test: Test, args: &BenchArgs, warm_up: bool) -> Result<Measured> {
    let n_ctx = test.n_depth + test.n_tokens().max(2);
    let mut context = context(model, args, n_ctx, ContextConfig::default().n_seq_max)?;
    let tokens = filler(model, n_ctx);
    if warm_up {
        let seq = context.sequence()?;
        prompt(&mut context, seq, &tokens[..test.n_prompt.clamp(1, tokens.len())])?;
        context.remove(seq);
        let seq = context.sequence()?;
        generate(&mut context, seq, &tokens[..1])?;
        context.remove(seq);
    }
    let mut samples = Vec::new();
    for _ in 0..args.repetitions {
        let seq = context.sequence()?;
        let (depth, rest) = tokens.split_at(test.n_depth);
        prompt(&mut context, seq, depth)?;
        let start = Instant::now();
        prompt(&mut context, seq, &rest[..test.n_prompt])?;
        generate(&mut context, seq, &rest[test.n_prompt..test.n_tokens()])?;
        samples.push(start.elapsed());
        context.remove(seq);
    }
    Ok(Measured { test, samples, memory_share: None })
}

fn context(model: &Arc<LoadedModel>, args: &BenchArgs, n_ctx: usize, n_seq_max: usize) -> Result<Context> {
    let config = ContextConfig {
        n_ctx,
        n_seq_max,
        n_ubatch: args.ubatch,
        key_type: args.cache.cache_type_k,
        value_type: args.cache.cache_type_v,
        n_snapshots: 1,
        ..ContextConfig::default()
    };
    Ok(Context::new(Arc::clone(model), config)?)
}

/// Any tokens do; a linear congruence spreads them over the vocabulary.
fn filler(model: &LoadedModel, n: usize) -> Vec<u32> {
    let n_vocab = model.model().hparams().n_vocab as u64;
    let token =
        |i: usize| ((i as u64).wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1) >> 33) % n_vocab;
    (0..n).map(|i| token(i) as u32).collect()
}

fn prompt(context: &mut Context, seq: SeqId, tokens: &[u32]) -> Result<()> {
    context.decode(Mode::Logits, &[Entry { seq, tokens, wanted: Wanted::Last }])?;
    Ok(())
}

fn generate(context: &mut Context, seq: SeqId, tokens: &[u32]) -> Result<()> {
    for token in tokens {
        prompt(context, seq, std::slice::from_ref(token))?;
    }
    Ok(())
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

fn line(path: &Path, model: &LoadedModel, device: &str, measured: &Measured) -> String {
    let (mean, deviation) = measured.rate();
    let size = model.file().file_bytes() as f64 / f64::from(1 << 20);
    let test = measured.test.name();
    format!("| {} | {size:.1} MiB | {device} | {test} | {mean:.2} ± {deviation:.2} |", name(path))
}

fn record(path: &Path, model: &LoadedModel, device: &str, measured: &Measured) -> serde_json::Value {
    let (mean, deviation) = measured.rate();
    let Test { n_prompt, n_gen, n_depth } = measured.test;
    let samples: Vec<u64> = measured.samples.iter().map(|s| s.as_nanos() as u64).collect();
    json!({
        "model_filename": path.display().to_string(),
        "model_size": model.file().file_bytes(),
        "device": device,
        "n_prompt": n_prompt,
        "n_gen": n_gen,
        "n_depth": n_depth,
        "avg_ts": mean,
        "stddev_ts": deviation,
        "samples_ns": samples,
        "memory_share": measured.memory_share,
    })
}
