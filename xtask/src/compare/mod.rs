//! `cargo xtask compare`: our `bench` against another engine's `llama-bench` on this machine, and a record of it.
//!
//! The two run in turn (A B A B), as machines speed up, slow down and get other work; what counts is the median of
//! the ratios of neighbours. Not a profiler: it says how fast, not why.

mod bench;
mod record;
pub(crate) mod start;

use std::path::PathBuf;

use anyhow::{Result, ensure};

pub(crate) use bench::ours;
use bench::{Rate, Sizes, Test};

use crate::models;

/// What to compare.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The other engine's llama-bench
    #[arg(long, value_name = "PATH")]
    peer: PathBuf,

    #[command(flatten)]
    common: Common,

    /// Rounds: each runs the peer, then us
    #[arg(short, long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,

    #[command(flatten)]
    sizes: Sizes,
}

/// What comparisons of speed have in common.
#[derive(Debug, clap::Args)]
struct Common {
    /// Our program, if not the release build of this tree
    #[arg(long, value_name = "PATH")]
    ours: Option<PathBuf>,

    /// Model files; default: the three models of the tests
    #[arg(long, value_name = "FILES", value_delimiter = ',')]
    models: Vec<PathBuf>,

    /// Print only, write no record
    #[arg(long)]
    dry: bool,
}

impl Common {
    /// Shows the table, and adds it to the record unless told not to.
    fn report(&self, facts: &record::Facts, settings: &str, table: &str) -> Result<()> {
        println!("{table}");
        if !self.dry {
            let path = record::write(facts, self.ours.as_deref(), settings, table)?;
            eprintln!("recorded in {}", path.display());
        }
        Ok(())
    }
}

/// The rates of one test, by round.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) model: String,
    pub(crate) test: Test,
    pub(crate) peer: Vec<f64>,
    pub(crate) ours: Vec<f64>,
    /// Of generations: see [`Rate::memory_share`].
    pub(crate) memory: Vec<f64>,
}

impl Row {
    /// Median of ours over the peer's, round by round.
    pub(crate) fn ratio(&self) -> f64 {
        median(self.ours.iter().zip(&self.peer).map(|(ours, peer)| ours / peer))
    }
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let files = files(&options.common.models)?;
    let ours = ours(options.common.ours.as_deref())?;
    let mut rows: Vec<Row> = Vec::new();
    let mut facts = record::Facts::gather()?;
    for round in 1..=options.rounds {
        for file in &files {
            eprintln!("round {round} of {}: {}", options.rounds, file.display());
            let peer = bench::peer(&options.peer, file, &options.sizes)?;
            facts.peer = peer.version;
            let ours = bench::measure(&ours, file, &options.sizes)?;
            take_in(&mut rows, file, &peer.rates, &ours)?;
        }
    }
    options.common.report(&facts, &record::settings(options), &record::table(&rows))
}

/// Those given, or the three models of the tests.
fn files(given: &[PathBuf]) -> Result<Vec<PathBuf>> {
    if !given.is_empty() {
        return Ok(given.to_vec());
    }
    let names = ["smollm2", "gemma3", "qwen2.5-coder"];
    let cache = models::ensure(&names.map(str::to_owned))?;
    let files = ["smollm2-135m-instruct.gguf", "gemma3-270m.gguf", "qwen2.5-coder-0.5b.gguf"];
    Ok(files.iter().map(|f| cache.join(f)).collect())
}

/// Adds a round of one file to the rows of its tests.
fn take_in(rows: &mut Vec<Row>, file: &std::path::Path, peer: &[Rate], ours: &[Rate]) -> Result<()> {
    let model = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned();
    for own in ours {
        let other = peer.iter().find(|r| r.test == own.test);
        ensure!(other.is_some(), "{model}: the peer did not run {}", own.test.name());
        let at = rows.iter().position(|r| r.model == model && r.test == own.test).unwrap_or_else(|| {
            rows.push(Row {
                model: model.clone(),
                test: own.test,
                peer: vec![],
                ours: vec![],
                memory: vec![],
            });
            rows.len() - 1
        });
        rows[at].peer.extend(other.map(|r| r.tokens_per_second));
        rows[at].ours.push(own.tokens_per_second);
        rows[at].memory.extend(own.memory_share);
    }
    Ok(())
}

/// The middle one; of an even number the mean of the two in the middle; 0 of none.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let n = values.len();
    match n {
        0 => 0.0,
        _ if n.is_multiple_of(2) => (values[n / 2 - 1] + values[n / 2]) / 2.0,
        _ => values[n / 2],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(n_prompt: u64, tokens_per_second: f64) -> Rate {
        Rate { test: Test { n_prompt, n_gen: 0, n_depth: 0 }, tokens_per_second, memory_share: None }
    }

    #[test]
    fn medians_stand_in_the_middle() {
        let check =
            |values: &[f64], want: f64| assert_eq!(median(values.iter().copied()), want, "{values:?}");
        check(&[], 0.0);
        check(&[3.0], 3.0);
        check(&[9.0, 1.0, 2.0], 2.0);
        check(&[4.0, 1.0, 2.0, 100.0], 3.0);
    }

    #[test]
    fn ratios_are_of_neighbours_in_time() {
        let mut rows = Vec::new();
        let file = std::path::Path::new("dir/a.gguf");
        // The machine is ten times slower in the second round.
        for (peer, ours) in [(100.0, 200.0), (10.0, 21.0), (100.0, 190.0)] {
            take_in(&mut rows, file, &[rate(256, peer), rate(512, 1.0)], &[rate(256, ours)])
                .expect("same tests");
        }
        assert_eq!(rows.len(), 1);
        assert_eq!((rows[0].model.as_str(), rows[0].ratio()), ("a.gguf", 2.0));
        let missing = take_in(&mut rows, file, &[rate(512, 1.0)], &[rate(256, 1.0)]);
        assert_eq!(missing.expect_err("no such test").to_string(), "a.gguf: the peer did not run pp256");
    }
}
