//! `llama-rs gguf`: splits, merges, edits, shows and compares model files.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use convert::edit::{self, Difference, SplitBy};
use gguf::{Gguf, Value};
use indicatif::{ProgressBar, ProgressStyle};

use super::info;
use crate::args::{GgufCommand, SetArgs, SplitArgs};
use crate::output;

pub(crate) fn run(command: &GgufCommand) -> Result<()> {
    match command {
        GgufCommand::Split(args) => split(args),
        GgufCommand::Merge { input, output } => {
            let source = open(input)?;
            with_bar(|progress| edit::merge(&source, output, progress))
        }
        GgufCommand::Set(args) => set(args),
        GgufCommand::Get { input, key } => get(input, key),
        GgufCommand::Dump { input } => output::emit(&info::as_json(&open(input)?, true)),
        GgufCommand::Diff { first, second } => diff(first, second),
    }
}

fn open(path: &Path) -> Result<Gguf> {
    Gguf::open(path).with_context(|| format!("{}", path.display()))
}

fn with_bar(work: impl FnOnce(&mut dyn FnMut(u64, u64)) -> convert::Result<()>) -> Result<()> {
    let template = "{bar:24} {percent:>3}% {bytes}/{total_bytes} {bytes_per_sec} {eta}";
    let bar = ProgressBar::new(0).with_style(ProgressStyle::with_template(template)?);
    work(&mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    })?;
    bar.finish_and_clear();
    Ok(())
}

fn split(args: &SplitArgs) -> Result<()> {
    let source = open(&args.input)?;
    let by = match args.split_max_size {
        Some(bytes) => SplitBy::Bytes(bytes),
        None => SplitBy::Tensors(args.split_max_tensors as usize),
    };
    let parts = edit::plan_split(&source, by, args.no_tensor_first_split);
    for (i, part) in parts.iter().enumerate() {
        let name = gguf::split::part_path(&args.prefix, i, parts.len());
        let mb = part.n_bytes as f64 / 1e6;
        output::note(&format!("{}: {} tensors, {mb:.1} MB", name.display(), part.n_tensors));
    }
    if args.dry_run {
        return Ok(());
    }
    with_bar(|progress| edit::split(&source, &parts, &args.prefix, progress))
}

fn set(args: &SetArgs) -> Result<()> {
    let source = open(&args.input)?;
    let values = args.values.iter().map(|text| edit::parse_value(&source, text));
    let values = values.collect::<convert::Result<Vec<_>>>()?;
    match &args.out {
        Some(out) => with_bar(|progress| edit::set_values(&source, &values, out, progress)),
        None => Ok(edit::set_in_place(&args.input, &values)?),
    }
}

fn get(input: &Path, key: &str) -> Result<()> {
    let source = open(input)?;
    match source.metadata().value(key) {
        Some(Value::String(text)) => output::emit(&format!("{}\n", String::from_utf8_lossy(text))),
        Some(value) => output::emit(&format!("{}\n", info::json_value(&value))),
        None => bail!("{} has no key {key:?}", input.display()),
    }
}

fn diff(first: &Path, second: &Path) -> Result<()> {
    let differences = edit::diff(&open(first)?, &open(second)?)?;
    let path = |is_first: bool| if is_first { first } else { second }.display();
    let mut out = String::new();
    for difference in &differences {
        out += &match difference {
            Difference::KeyOnlyIn { key, is_first } => format!("key {key}: only in {}\n", path(*is_first)),
            Difference::Value { key } => format!("key {key}: other value\n"),
            Difference::TensorOnlyIn { name, is_first } => {
                format!("tensor {name}: only in {}\n", path(*is_first))
            }
            Difference::Layout { name, first, second } => format!("tensor {name}: {first}, {second}\n"),
            Difference::Bytes { name, n_different, n_bytes, first_at } => {
                format!("tensor {name}: {n_different} of {n_bytes} bytes, the first at {first_at}\n")
            }
        };
    }
    output::emit(&out)?;
    ensure!(differences.is_empty(), "{} differences", differences.len());
    Ok(())
}
