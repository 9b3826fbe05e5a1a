//! The table of a comparison, and the file it is kept in: `bench/record/<cpu>/<date>.md`.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};

use super::{Options, Row, median};
use crate::repository;

/// What a reader must know to judge the numbers.
#[derive(Debug)]
pub(crate) struct Facts {
    cpu: String,
    /// Processors of one name can be of several.
    generation: String,
    n_cpus: usize,
    memory: String,
    kernel: String,
    /// Processes that wanted to run when the comparison began.
    load: String,
    commit: String,
    rustc: String,
    pub(crate) peer: String,
}

impl Facts {
    pub(crate) fn gather() -> Result<Self> {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let field = |text: &str, key: &str| {
            let line = text.lines().find(|line| line.starts_with(key));
            line.and_then(|line| line.split_once(':')).map_or("unknown", |(_, v)| v.trim()).to_owned()
        };
        let mut commit = said("git", &["rev-parse", "--short", "HEAD"])?;
        if !said("git", &["status", "--porcelain", "--untracked-files=no"])?.is_empty() {
            commit += " with changes";
        }
        let cpuinfo = read("/proc/cpuinfo");
        Ok(Self {
            cpu: field(&cpuinfo, "model name"),
            generation: format!(
                "family {}, model {}",
                field(&cpuinfo, "cpu family"),
                field(&cpuinfo, "model\t")
            ),
            n_cpus: std::thread::available_parallelism().map_or(1, usize::from),
            memory: field(&read("/proc/meminfo"), "MemTotal"),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            load: read("/proc/loadavg").split(' ').take(3).collect::<Vec<_>>().join(" "),
            commit,
            rustc: said("rustc", &["--version"])?,
            peer: String::new(),
        })
    }

    /// The processor as the name of a folder.
    fn folder(&self) -> String {
        let words = self.cpu.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty());
        words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-")
    }
}

fn said(program: &str, args: &[&str]) -> Result<String> {
    let output = Command::new(program).args(args).current_dir(repository()).output();
    let output = output.with_context(|| format!("cannot start {program}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Medians of tokens per second, of the ratios, and of what memory bounds.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut table = String::from(
        "| model | test | peer, tokens/s | llama-rs, tokens/s | ratio | of memory |\n|---|---|---:|---:|---:|---:|\n",
    );
    for row in rows {
        let [peer, ours] = [&row.peer, &row.ours].map(|rates| median(rates.iter().copied()));
        let (model, test, ratio) = (&row.model, row.test.name(), row.ratio());
        let memory = if row.memory.is_empty() {
            String::new()
        } else {
            format!(" {:.0} %", 100.0 * median(row.memory.iter().copied()))
        };
        writeln!(table, "| {model} | {test} | {peer:.1} | {ours:.1} | {ratio:.2} |{memory} |")
            .expect("a string takes any text");
    }
    table
}

/// How rates were measured, for the record.
pub(super) fn settings(options: &Options) -> String {
    let (rounds, threads) = (options.rounds, options.sizes.threads);
    let isa = options.sizes.isa.as_ref().map_or_else(String::new, |isa| format!("ours held to {isa}; "));
    let mode = match &*options.sizes.load_mode {
        "auto" => String::new(),
        mode => format!("ours with `--load-mode {mode}`; "),
    };
    let flash = if options.sizes.flash_attention { "the peer with flash attention; " } else { "" };
    format!(
        "{isa}{mode}{flash}{threads} threads; medians of {rounds} alternating rounds, ratios round by round; memory: bytes of weights a second, \
         of those that as many threads read from memory right after"
    )
}

/// Adds a comparison to the record of the day.
pub(super) fn write(facts: &Facts, ours: Option<&Path>, settings: &str, table: &str) -> Result<PathBuf> {
    let folder = repository().join("bench").join("record").join(facts.folder());
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    let date = date(seconds / 86_400);
    let path = folder.join(format!("{date}.md"));
    let is_new = !path.exists();
    let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
    if is_new {
        writeln!(file, "# {}, {date}", facts.cpu)?;
    }
    let Facts { cpu, generation, n_cpus, memory, kernel, load, commit, rustc, peer } = facts;
    let ours = ours.map_or_else(String::new, |p| format!("program: {}; ", p.display()));
    writeln!(
        file,
        "\n## Commit {commit}, {:02}:{:02} UTC\n\n\
         - {cpu} ({generation}), {n_cpus} cores, {memory}, Linux {kernel}; load before: {load}\n\
         - {rustc}; peer: {peer}\n\
         - {ours}{settings}\n\n{table}",
        seconds / 3600 % 24,
        seconds / 60 % 60,
    )?;
    Ok(path)
}

/// Year, month and day of a day counted from 1970 (Hinnant, "chrono-compatible low-level date algorithms").
fn date(days: u64) -> String {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + 400 * era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::super::bench::Test;
    use super::*;

    #[test]
    fn days_have_dates() {
        for (days, want) in [(0, "1970-01-01"), (11_016, "2000-02-29"), (20_781, "2026-11-24")] {
            assert_eq!(date(days), want);
        }
    }

    #[test]
    fn a_row_shows_medians() {
        let test = Test { n_prompt: 256, n_gen: 0, n_depth: 0 };
        let (peer, ours) = (vec![10.0, 20.0, 30.0], vec![30.0, 40.0, 60.0]);
        let mut row = Row { model: "a".into(), test, peer, ours, memory: vec![] };
        assert!(table(&[row.clone()]).ends_with("| a | pp256 | 20.0 | 40.0 | 2.00 | |\n"));
        row.memory = vec![0.5, 0.25, 0.9];
        assert!(table(&[row]).ends_with("| a | pp256 | 20.0 | 40.0 | 2.00 | 50 % |\n"));
    }
}
