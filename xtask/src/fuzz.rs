//! Looking for inputs that break a promise: builds the targets of `fuzz/` with coverage and runs libFuzzer on one of
//! them. Replaying the inputs that are kept is a plain test of that package.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;

use crate::{cargo, repository};

#[derive(Args)]
pub(crate) struct Options {
    /// What to look at: a folder of fuzz/corpus
    target: String,

    /// How long to look
    #[arg(long, value_name = "N", default_value_t = 600)]
    seconds: u32,

    /// Afterwards keep up to so many of the inputs that add coverage, for the tests to replay
    #[arg(long, value_name = "N")]
    keep: Option<usize>,

    /// Only run the target on these inputs
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with_all = ["seconds", "keep"])]
    replay: Vec<PathBuf>,
}

/// What makes the compiler count which code was reached and what was compared, as libFuzzer wants it.
const COVERAGE: &[&str] = &[
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cllvm-args=-simplifycfg-branch-fold-threshold=0",
];

/// An input may take this long, and this much memory. Both are many times what the slowest good ones take.
const TIME_LIMIT: &str = "-timeout=10";
const MEMORY_LIMIT: &str = "-rss_limit_mb=2048";
/// Longer inputs repeat what shorter ones do.
const LENGTH_LIMIT: &str = "-max_len=4096";
/// Kept inputs are part of the repository.
const KEPT_BYTES_MAX: u64 = 1024;

pub(crate) fn run(options: &Options) -> Result<()> {
    let name = &options.target;
    let seeds = repository().join("fuzz/corpus").join(name);
    ensure!(seeds.is_dir(), "no target is named `{name}`; there are {}", names()?.join(", "));
    let program = build()?;
    let mut fuzzer = Command::new(program);
    fuzzer.env("FUZZ_TARGET", name).args([TIME_LIMIT, MEMORY_LIMIT]);
    if !options.replay.is_empty() {
        return cargo::run(fuzzer.args(&options.replay));
    }
    let work = repository().join("target/fuzz");
    let (corpus, found) = (work.join("corpus").join(name), work.join("found"));
    fs::create_dir_all(&corpus)?;
    fs::create_dir_all(&found)?;
    fuzzer.arg(LENGTH_LIMIT).arg(format!("-max_total_time={}", options.seconds));
    fuzzer.arg("-print_final_stats=1").arg(format!("-artifact_prefix={}/{name}-", found.display()));
    cargo::run(fuzzer.arg(&corpus).arg(&seeds)).with_context(|| {
        format!(
            "`{name}` has a finding: it is in {}; once it is mended, keep it in fuzz/corpus/{name}",
            found.display()
        )
    })?;
    match options.keep {
        Some(n) => keep(name, &corpus, &seeds, n),
        None => Ok(()),
    }
}

fn names() -> Result<Vec<String>> {
    let folders = fs::read_dir(repository().join("fuzz/corpus")).context("cannot list fuzz/corpus")?;
    let name = |entry: std::io::Result<fs::DirEntry>| Ok(entry?.file_name().to_string_lossy().into_owned());
    let mut names = folders.map(name).collect::<Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

/// The program that looks, in a folder of its own, as its flags differ from those of everything else.
fn build() -> Result<PathBuf> {
    let tuple =
        Command::new("rustc").args(["--print", "host-tuple"]).output().context("cannot start rustc")?;
    let tuple = String::from_utf8(tuple.stdout)?.trim().to_owned();
    let target = repository().join("target/fuzz/build");
    let mut build =
        cargo::command(&["build", "--profile", "fuzz", "--package", "fuzz", "--features", "libfuzzer"]);
    // With a target named, the flags do not hold for build scripts, which have no libFuzzer to link to.
    build.args(["--target", &tuple]).env("RUSTFLAGS", COVERAGE.join(" ")).env("CARGO_TARGET_DIR", &target);
    cargo::run(&mut build)?;
    Ok(target.join(tuple).join("fuzz/fuzz"))
}

/// Copies inputs that reach what the kept ones do not, small ones, to where the tests replay them.
fn keep(name: &str, corpus: &Path, seeds: &Path, n_most: usize) -> Result<()> {
    let merged = corpus.with_extension("merged");
    if merged.exists() {
        fs::remove_dir_all(&merged)?;
    }
    fs::create_dir_all(&merged)?;
    let mut merge = Command::new(build()?);
    merge.env("FUZZ_TARGET", name).args([TIME_LIMIT, MEMORY_LIMIT, "-set_cover_merge=1"]);
    cargo::run(merge.arg(format!("-max_len={KEPT_BYTES_MAX}")).args([
        &merged,
        &seeds.to_path_buf(),
        &corpus.to_path_buf(),
    ]))?;
    let mut paths = fs::read_dir(&merged)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    // Their names are hashes: the first ones are any.
    paths.sort();
    for path in paths.iter().take(n_most) {
        let Some(file) = path.file_name() else { bail!("{} has no name", path.display()) };
        fs::copy(path, seeds.join(file)).with_context(|| format!("cannot keep {}", path.display()))?;
    }
    println!("{name}: {} of {} inputs kept in {}", paths.len().min(n_most), paths.len(), seeds.display());
    Ok(())
}
