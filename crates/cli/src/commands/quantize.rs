//! `llama-rs quantize`: a model file with other tensor types.

use std::fmt::Write as _;
use std::num::NonZero;
use std::path::PathBuf;
use std::{fs, thread};

use anyhow::{Context, Result, ensure};
use convert::quantize::{Options, Plan, Planned, Progress, TensorRule, run as quantize};
use convert::{Imatrix, Mix};
use gguf::Gguf;
use indicatif::{ProgressBar, ProgressStyle};

use crate::args::QuantizeArgs;
use crate::output;

pub(crate) fn run(args: &QuantizeArgs) -> Result<()> {
    let words = args.positional()?;
    let source = Gguf::open(&args.input).with_context(|| format!("{}", args.input.display()))?;
    let options = options(args, words.mix)?;
    let plan = Plan::new(&source, &options)?;
    if args.dry_run {
        return output::emit(&table(&plan)?);
    }
    let target = words.output.unwrap_or_else(|| default_output(args, words.mix));
    let all_cores = || thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
    let n_threads = words.threads.unwrap_or_else(all_cores);
    let bar = progress_bar(plan.from_bytes())?;
    let mut show = |progress: Progress<'_>| {
        bar.set_position(progress.done_bytes);
        bar.set_message(format!("{} to {}", progress.tensor.name, progress.tensor.to));
    };
    quantize(&source, &plan, &options, &target, n_threads, &mut show)?;
    bar.finish_and_clear();
    output::note(&summary(&plan));
    for tensor in plan.tensors.iter().filter(|t| t.is_fallback()) {
        let Planned { name, to, wanted, .. } = tensor;
        let len = tensor.dims[0];
        output::note(&format!("{name}: {to}, as rows of {len} are no whole blocks of {wanted}"));
    }
    Ok(())
}

fn options(args: &QuantizeArgs, mix: Option<Mix>) -> Result<Options> {
    let mut tensor_types = args.tensor_type.clone();
    if let Some(path) = &args.tensor_type_file {
        let rules = fs::read_to_string(path).with_context(|| format!("{}", path.display()))?;
        for rule in rules.split_whitespace() {
            tensor_types.push(TensorRule::parse(rule)?);
        }
    }
    Ok(Options {
        mix,
        imatrix: imatrix(args)?,
        pure: args.pure,
        output_type: args.output_tensor_type,
        token_embedding_type: args.token_embedding_type,
        tensor_types,
        leave_output: args.leave_output_tensor,
        requantize: args.allow_requantize,
        keep_split: args.keep_split,
        overrides: args.override_kv.clone(),
        prune: args.prune_layers.clone(),
    })
}

fn imatrix(args: &QuantizeArgs) -> Result<Option<(Imatrix, PathBuf)>> {
    let Some(path) = &args.imatrix else { return Ok(None) };
    let mut imatrix = Imatrix::open(path)?;
    if !args.include_weights.is_empty() {
        imatrix.include(&args.include_weights);
    }
    imatrix.exclude(&args.exclude_weights);
    ensure!(
        !imatrix.entries.is_empty(),
        "--include-weights or --exclude-weights leave nothing of {}",
        path.display()
    );
    Ok(Some((imatrix, path.clone())))
}

fn default_output(args: &QuantizeArgs, mix: Option<Mix>) -> PathBuf {
    let name = mix.map_or("COPY", Mix::name);
    args.input.with_file_name(format!("ggml-model-{name}.gguf"))
}

fn progress_bar(total_bytes: u64) -> Result<ProgressBar> {
    let template = "{bar:24} {percent:>3}% {bytes}/{total_bytes} {bytes_per_sec} {eta} {wide_msg}";
    Ok(ProgressBar::new(total_bytes).with_style(ProgressStyle::with_template(template)?))
}

fn table(plan: &Plan) -> Result<String> {
    let mut out = String::new();
    writeln!(
        out,
        "{:44} {:26} {:>8} {:>8} {:>12} {:>12}",
        "tensor", "shape", "from", "to", "bytes", "bytes"
    )?;
    for t in &plan.tensors {
        let shape = format!("{:?}", t.dims);
        let mark = if t.is_fallback() { format!("  instead of {}", t.wanted) } else { String::new() };
        writeln!(
            out,
            "{:44} {shape:26} {:>8} {:>8} {:>12} {:>12}{mark}",
            t.name, t.from, t.to, t.from_bytes, t.to_bytes
        )?;
    }
    writeln!(out, "{}", summary(plan))?;
    if let Some(t) = plan.needs_imatrix() {
        writeln!(out, "An importance matrix is needed: {} becomes {}.", t.name, t.to)?;
    }
    Ok(out)
}

fn summary(plan: &Plan) -> String {
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let bits = |bytes: u64| bytes as f64 * 8.0 / plan.n_elements().max(1) as f64;
    let (from, to) = (plan.from_bytes(), plan.to_bytes());
    format!(
        "{} tensors: {:.2} MiB ({:.2} bits per weight) to {:.2} MiB ({:.2} bits per weight)",
        plan.tensors.len(),
        mib(from),
        bits(from),
        mib(to),
        bits(to)
    )
}
