//! `cargo xtask compare-grammar`: random GBNF grammars read, and texts judged, by us and by llama.cpp.
//!
//! Both sides are programs that read a line for each grammar: the grammar and its texts in hexadecimal digits, with
//! commas between them. They answer with a line of letters. The first is of the grammar: `G` read, `R` refused, `L`
//! refused as a rule begins with nothing but itself (ours only). After a `G` comes one for each text: `y` it is of the
//! grammar, `p` more can follow, `n` it is not, `d` nothing can follow (ours only), `E` stopped by a limit of ours.
//! In place of any letter the peer may run out of time (`T`), memory (`M`) or stack (`S`), or abort (`A`).

mod generate;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::cargo;
use generate::{Kind, Sample};

const SETS: &[(&str, Kind)] = &[("mixed", Kind::Mixed), ("empty", Kind::Empty), ("hidden", Kind::Hidden)];
const PEER_SOURCE: &str = include_str!("peer.cpp");

/// What to compare.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Folder in which llama.cpp was built with shared libraries; its sources are found through CMakeCache.txt
    #[arg(long, value_name = "FOLDER")]
    peer: PathBuf,

    /// Grammars of each set
    #[arg(short, long, default_value_t = 300)]
    n: usize,

    /// Another seed makes other grammars
    #[arg(short, long, default_value_t = 1)]
    seed: u64,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let folder = std::env::temp_dir().join(format!("compare-grammar-{}", std::process::id()));
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let done = compare(options, &folder);
    fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    let findings = done?;
    findings.iter().for_each(|finding| println!("\n{finding}"));
    ensure!(findings.is_empty(), "{} grammars or texts differ", findings.len());
    Ok(())
}

/// Gives what differs, for a person to read.
fn compare(options: &Options, folder: &Path) -> Result<Vec<String>> {
    let peer = build_peer(&options.peer, folder)?;
    let mut ours = cargo::command(&["run", "--release", "--quiet", "--package", "grammar"]);
    ours.args(["--example", "judge_texts"]);
    let mut counts = Vec::new();
    let mut findings = Vec::new();
    for (_, kind) in SETS {
        let samples = generate::samples(*kind, options.seed, options.n);
        let peer = answers(&mut Command::new(&peer), &samples, folder)?;
        let ours = answers(&mut ours, &samples, folder)?;
        let mut count = Counts::default();
        for ((sample, peer), ours) in samples.iter().zip(&peer).zip(&ours) {
            findings.extend(count.add(sample, peer, ours)?);
        }
        counts.push(count);
    }
    print!("{}", table(&counts));
    Ok(findings)
}

/// Compiles the program of the other side against the library and the headers it was made with.
fn build_peer(build: &Path, folder: &Path) -> Result<PathBuf> {
    let cache = build.join("CMakeCache.txt");
    let cache = fs::read_to_string(&cache)
        .with_context(|| format!("cannot read {}: is it a build?", cache.display()))?;
    let source = cache.lines().find_map(|line| line.strip_prefix("CMAKE_HOME_DIRECTORY:INTERNAL="));
    let source = Path::new(source.context("CMakeCache.txt does not say where the sources are")?);
    let libraries = fs::canonicalize(build.join("bin")).context("the build has no folder bin")?;
    ensure!(libraries.join("libllama.so").exists(), "{} has no libllama.so", libraries.display());
    let (code, program) = (folder.join("peer.cpp"), folder.join("peer"));
    fs::write(&code, PEER_SOURCE)?;
    let mut compiler = Command::new(std::env::var_os("CXX").unwrap_or_else(|| "c++".into()));
    compiler.args(["-std=c++17", "-O2", "-o"]).args([&program, &code]);
    for headers in ["include", "src", "ggml/include"] {
        compiler.arg("-I").arg(source.join(headers));
    }
    compiler.arg("-L").arg(&libraries).args(["-lllama", "-Wl,-rpath"]);
    compiler.arg(format!("-Wl,{}", libraries.display()));
    cargo::run(&mut compiler)?;
    Ok(program)
}

/// One line of letters for each sample.
fn answers(program: &mut Command, samples: &[Sample], folder: &Path) -> Result<Vec<String>> {
    let questions = folder.join("questions");
    let question = |sample: &Sample| {
        let fields: Vec<_> =
            [&sample.grammar].into_iter().chain(&sample.texts).map(|text| hex(text)).collect();
        fields.join(",") + "\n"
    };
    fs::write(&questions, samples.iter().map(question).collect::<String>())?;
    let output = program.stdin(File::open(&questions)?).stderr(Stdio::inherit()).output();
    let output = output.with_context(|| format!("cannot start {program:?}"))?;
    ensure!(output.status.success(), "{program:?} failed: {}", output.status);
    let lines: Vec<String> = String::from_utf8(output.stdout)?.lines().map(str::to_owned).collect();
    ensure!(lines.len() == samples.len(), "{program:?} answered {} of {}", lines.len(), samples.len());
    Ok(lines)
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// What came of the grammars of a set.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    grammars: usize,
    read_by_both: usize,
    same: usize,
    whole: usize,
    different: usize,
    unfinished: usize,
    stopped_here: usize,
    peer_stuck: usize,
    peer_refuses: usize,
    no_beginning: usize,
    refused_by_both: usize,
    refused_here: usize,
}

impl Counts {
    /// Gives what differs.
    fn add(&mut self, sample: &Sample, peer: &str, ours: &str) -> Result<Vec<String>> {
        self.grammars += 1;
        let finding = |what: String| format!("{what} (peer {peer}, ours {ours})\n{}", sample.grammar);
        match (letter(peer, 0)?, letter(ours, 0)?) {
            ('G', 'G') => {
                self.read_by_both += 1;
                let mut findings = Vec::new();
                for (i, text) in sample.texts.iter().enumerate() {
                    if !self.add_text(letter(peer, 1 + i)?, letter(ours, 1 + i)?) {
                        findings.push(finding(format!("another answer to {text:?}")));
                    }
                }
                return Ok(findings);
            }
            ('T' | 'M' | 'S' | 'A', 'G') => self.peer_stuck += 1,
            ('R', 'G') => self.peer_refuses += 1,
            ('R', 'L') => self.no_beginning += 1,
            ('R', 'R') => self.refused_by_both += 1,
            ('G' | 'T' | 'M' | 'S' | 'A', 'L' | 'R') => {
                self.refused_here += 1;
                return Ok(vec![finding("refused here".into())]);
            }
            _ => bail!("not answers: {peer}, {ours}"),
        }
        Ok(Vec::new())
    }

    /// Whether the answers agree, as far as the peer has one.
    fn add_text(&mut self, peer: char, ours: char) -> bool {
        if matches!(peer, 'T' | 'M' | 'S' | 'A') {
            self.unfinished += 1;
            self.stopped_here += usize::from(ours == 'E');
            return true;
        }
        self.whole += usize::from((peer, ours) == ('y', 'y'));
        match peer == ours {
            true => self.same += 1,
            false => self.different += 1,
        }
        peer == ours
    }
}

fn letter(answer: &str, at: usize) -> Result<char> {
    answer.chars().nth(at).with_context(|| format!("the answer {answer:?} has no letter {at}"))
}

/// As it stands in bench/record/grammar.md.
fn table(counts: &[Counts]) -> String {
    type Row = (&'static str, fn(&Counts) -> usize);
    const ROWS: &[Row] = &[
        ("grammars", |c| c.grammars),
        ("read by both", |c| c.read_by_both),
        (".. texts with the same answer", |c| c.same),
        (".. of these, texts of the grammar", |c| c.whole),
        (".. texts with another answer", |c| c.different),
        (".. texts that llama.cpp does not finish", |c| c.unfinished),
        (".. of these, stopped here by the limit of work", |c| c.stopped_here),
        ("read here; llama.cpp does not finish reading", |c| c.peer_stuck),
        ("read here; llama.cpp refuses it", |c| c.peer_refuses),
        ("refused by both: a rule begins with nothing but itself", |c| c.no_beginning),
        ("refused by both: for another reason", |c| c.refused_by_both),
        ("refused here alone", |c| c.refused_here),
    ];
    let line = |head: &str, cells: Vec<String>| format!("| {head} | {} |\n", cells.join(" | "));
    let mut text = line("", SETS.iter().map(|(name, _)| (*name).to_owned()).collect());
    text += &("|---|".to_owned() + &"---:|".repeat(SETS.len()) + "\n");
    for (head, count) in ROWS {
        text += &line(head, counts.iter().map(|c| count(c).to_string()).collect());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_counted_and_differences_found() {
        let of = |change: fn(&mut Counts)| {
            let mut counts = Counts { grammars: 1, ..Counts::default() };
            change(&mut counts);
            counts
        };
        let read = |change: fn(&mut Counts)| {
            let mut counts = of(change);
            counts.read_by_both = 1;
            counts
        };
        for (peer, ours, n_findings, want) in [
            ("Gyp", "Gyp", 0, read(|c| (c.same, c.whole) = (2, 1))),
            ("Gyp", "Gyn", 1, read(|c| (c.same, c.whole, c.different) = (1, 1, 1))),
            ("Gnp", "GEd", 2, read(|c| c.different = 2)),
            ("GTM", "GyE", 0, read(|c| (c.unfinished, c.stopped_here) = (2, 1))),
            ("T", "Gyy", 0, of(|c| c.peer_stuck = 1)),
            ("R", "Gyy", 0, of(|c| c.peer_refuses = 1)),
            ("R", "L", 0, of(|c| c.no_beginning = 1)),
            ("R", "R", 0, of(|c| c.refused_by_both = 1)),
            ("Gyy", "L", 1, of(|c| c.refused_here = 1)),
            ("T", "R", 1, of(|c| c.refused_here = 1)),
        ] {
            let sample = Sample { grammar: String::new(), texts: vec![String::new(), "a".into()] };
            let mut counts = Counts::default();
            let findings = counts.add(&sample, peer, ours).expect("an answer");
            assert_eq!((findings.len(), counts), (n_findings, want), "{peer} {ours}");
        }
    }

    #[test]
    fn broken_answers_are_errors() {
        let sample = Sample { grammar: String::new(), texts: vec!["a".into()] };
        for (peer, ours) in [("", "Gy"), ("G", "Gy"), ("Gy", "G"), ("x", "Gy")] {
            assert!(Counts::default().add(&sample, peer, ours).is_err(), "{peer} {ours}");
        }
    }
}
