//! `cargo xtask compare-start`: how long our program and llama.cpp's take from their start to the first text.
//!
//! What a person waits for: opening the file, the prompt of a few tokens, the first token. Files are in the memory of the
//! system; how fast disks are is no matter of ours.

use std::fmt::Write as _;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::{Common, files, median, ours, record};

/// What to compare.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The other engine's llama-completion
    #[arg(long, value_name = "PATH")]
    peer: PathBuf,

    #[command(flatten)]
    common: Common,

    /// Rounds: each starts the peer, then us
    #[arg(short, long, default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,

    /// Threads of both
    #[arg(short, long, default_value_t = 2)]
    threads: u32,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let ours = ours(options.common.ours.as_deref())?;
    let mut facts = record::Facts::gather()?;
    facts.peer = options.peer.display().to_string();
    let mut table =
        String::from("| model | peer, ms to the first text | llama-rs, ms | ratio |\n|---|---:|---:|---:|\n");
    for file in files(&options.common.models)? {
        // Brings the file to memory.
        time(&mut our_command(&ours, &file, options.threads))?;
        let mut times = Vec::new();
        for _ in 0..options.rounds {
            let peer = time(&mut peer_command(&options.peer, &file, options.threads))?;
            times.push((peer, time(&mut our_command(&ours, &file, options.threads))?));
        }
        let name = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy();
        writeln!(table, "{}", row(&name, &times)).expect("a string takes any text");
    }
    let (threads, rounds) = (options.threads, options.rounds);
    let settings = format!(
        "from the start of the program to its first text, of a prompt of five words; files in memory, peer without warm-up; {threads} threads; \
         medians of {rounds} alternating rounds, ratios round by round"
    );
    options.common.report(&facts, &settings, &table)
}

/// `times` of the peer and of ours.
fn row(model: &str, times: &[(Duration, Duration)]) -> String {
    let milliseconds = |d: Duration| d.as_secs_f64() * 1e3;
    let peer = median(times.iter().map(|(peer, _)| milliseconds(*peer)));
    let ours = median(times.iter().map(|(_, ours)| milliseconds(*ours)));
    let ratio = median(times.iter().map(|(peer, ours)| peer.as_secs_f64() / ours.as_secs_f64()));
    format!("| {model} | {peer:.0} | {ours:.0} | {ratio:.2} |")
}

fn our_command(program: &Path, model: &Path, threads: u32) -> Command {
    let mut command = Command::new(program);
    command.arg("run").arg(model).arg("--raw");
    with_prompt(command, threads)
}

fn peer_command(program: &Path, model: &Path, threads: u32) -> Command {
    let mut command = Command::new(program);
    command.arg("-m").arg(model).args(["-no-cnv", "--no-display-prompt", "--no-warmup"]);
    with_prompt(command, threads)
}

/// The flags that both understand.
fn with_prompt(mut command: Command, threads: u32) -> Command {
    command.args(["-p", "The capital of France is", "-n", "4", "--temp", "0", "-c", "4096"]);
    command.args(["-t", &threads.to_string()]);
    command
}

/// From the start to the first byte that is not white space; then the program may end.
fn time(command: &mut Command) -> Result<Duration> {
    let start = Instant::now();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().with_context(|| format!("cannot start {command:?}"))?;
    let mut first = None;
    if let Some(out) = child.stdout.take() {
        for byte in BufReader::new(out).bytes() {
            if !byte?.is_ascii_whitespace() {
                first.get_or_insert_with(|| start.elapsed());
            }
        }
    }
    let status = child.wait()?;
    ensure!(status.success(), "{command:?} failed: {status}");
    first.with_context(|| format!("{command:?} said nothing"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_shows_medians() {
        let ms = Duration::from_millis;
        let times = [(ms(100), ms(50)), (ms(300), ms(100)), (ms(200), ms(25))];
        assert_eq!(row("a", &times), "| a | 200 | 50 | 3.00 |");
    }

    #[test]
    fn white_space_is_no_text() {
        let shell = |script: &str| time(Command::new("sh").args(["-c", script]));
        assert!(shell("echo; sleep 0.05; echo a").expect("text") >= Duration::from_millis(50));
        assert!(shell("echo").is_err_and(|e| e.to_string().ends_with("said nothing")));
        assert!(shell("echo a; exit 3").is_err_and(|e| e.to_string().contains("failed")));
    }
}
