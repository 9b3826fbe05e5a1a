//! Running `bench` of either engine once, and reading its JSON. The peer's has the same fields and more.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::{cargo, repository};

/// What is measured, on every file.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Sizes {
    /// Prompt lengths; 0: none
    #[arg(short = 'p', long, value_name = "N", default_value = "256,512", value_delimiter = ',')]
    pub(crate) n_prompt: Vec<u32>,

    /// Generation lengths; 0: none
    #[arg(short = 'n', long, value_name = "N", default_value = "64", value_delimiter = ',')]
    pub(crate) n_gen: Vec<u32>,

    /// Tokens already in the context when measuring starts
    #[arg(short = 'd', long, value_name = "N", default_value = "0", value_delimiter = ',')]
    pub(crate) n_depth: Vec<u32>,

    /// Threads of both
    #[arg(short, long, default_value_t = 2)]
    pub(crate) threads: u32,

    /// Run the peer with its flash attention on
    #[arg(long)]
    pub(crate) flash_attention: bool,

    /// Instruction set of ours, if not the best: for a peer that was not compiled for the best either
    #[arg(long, value_name = "NAME")]
    pub(crate) isa: Option<String>,

    /// Where our weights are: see the flag of llama-rs
    #[arg(long, value_name = "MODE", default_value = "auto")]
    pub(crate) load_mode: String,
}

/// A prompt or a generation, behind what is already there.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct Test {
    pub(crate) n_prompt: u64,
    pub(crate) n_gen: u64,
    #[serde(default)]
    pub(crate) n_depth: u64,
}

impl Test {
    pub(crate) fn name(self) -> String {
        let mut name = match (self.n_prompt, self.n_gen) {
            (p, 0) => format!("pp{p}"),
            (0, n) => format!("tg{n}"),
            (p, n) => format!("pp{p}+tg{n}"),
        };
        if self.n_depth > 0 {
            name += &format!(" @ d{}", self.n_depth);
        }
        name
    }
}

/// How fast a test went.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Rate {
    #[serde(flatten)]
    pub(crate) test: Test,
    #[serde(rename = "avg_ts")]
    pub(crate) tokens_per_second: f64,
    /// Of ours: bytes a second of weights, over those that memory can be read with.
    #[serde(default)]
    pub(crate) memory_share: Option<f64>,
}

/// What the other engine said.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) rates: Vec<Rate>,
    pub(crate) version: String,
}

/// Our program: the one given, or the release build of this tree, made first.
pub(crate) fn ours(given: Option<&Path>) -> Result<PathBuf> {
    if let Some(program) = given {
        return Ok(std::path::absolute(program)?);
    }
    cargo::run(cargo::command(&["build"]).args(["--release", "--package", "cli", "--bin", "llama-rs"]))?;
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| repository().join("target"), PathBuf::from);
    let program = target.join("release").join("llama-rs");
    ensure!(program.is_file(), "no program at {}", program.display());
    Ok(program)
}

/// One run of our bench.
pub(crate) fn measure(program: &Path, model: &Path, sizes: &Sizes) -> Result<Vec<Rate>> {
    let isa = sizes.isa.iter().flat_map(|isa| ["--isa", isa]);
    let more: Vec<&str> = isa.chain(["--load-mode", &sizes.load_mode]).collect();
    let json = output(Command::new(program).args(["bench", "--bandwidth"]), model, sizes, &more)?;
    serde_json::from_slice(&json).with_context(|| format!("the report of {}", program.display()))
}

/// One run of the peer's.
pub(crate) fn peer(program: &Path, model: &Path, sizes: &Sizes) -> Result<Peer> {
    #[derive(Deserialize)]
    struct Report {
        #[serde(flatten)]
        rate: Rate,
        #[serde(default)]
        build_commit: String,
        #[serde(default)]
        build_number: u64,
    }
    let flash: &[&str] = if sizes.flash_attention { &["-fa", "1"] } else { &[] };
    let json = output(&mut Command::new(program), model, sizes, flash)?;
    let reports: Vec<Report> =
        serde_json::from_slice(&json).with_context(|| format!("the report of {}", program.display()))?;
    let version = reports.first().map_or_else(String::new, |r| {
        format!("{} build {} ({})", program.display(), r.build_number, r.build_commit)
    });
    Ok(Peer { rates: reports.into_iter().map(|r| r.rate).collect(), version })
}

/// The flags that both understand; one repetition, as the rounds repeat.
fn output(command: &mut Command, model: &Path, sizes: &Sizes, more: &[&str]) -> Result<Vec<u8>> {
    let list = |numbers: &[u32]| numbers.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
    command.arg("-m").arg(model);
    command.args(["-p", &list(&sizes.n_prompt), "-n", &list(&sizes.n_gen)]);
    // Not every peer knows depths.
    if sizes.n_depth.iter().any(|&depth| depth > 0) {
        command.args(["-d", &list(&sizes.n_depth)]);
    }
    command.args(["-t", &sizes.threads.to_string(), "-r", "1", "-o", "json"]).args(more);
    let done = command.stderr(Stdio::null()).output().with_context(|| format!("cannot start {command:?}"))?;
    ensure!(done.status.success(), "{command:?} failed: {}", done.status);
    Ok(done.stdout)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_of_both_are_read() {
        let json = r#"[{"model_filename": "a", "n_prompt": 0, "n_gen": 64, "n_depth": 512, "avg_ts": 12.5, "x": []}]"#;
        let rates: Vec<Rate> = serde_json::from_str(json).expect("the fields of a rate");
        assert_eq!((rates[0].test.name().as_str(), rates[0].tokens_per_second), ("tg64 @ d512", 12.5));
    }
}
