//! `cargo xtask compare-grammar`: what our GBNF engine and llama.cpp's say of random grammars and texts.
//!
//! Both are programs that read, for each grammar, a line `N HEX` of its source and N lines of texts in hexadecimal, and
//! write a line: `R` where the grammar is refused, else `I` and a letter for each text: `y` is one, `p` begins one, `n`
//! is none, `E` is stopped by a limit of ours. llama.cpp may end with `T` (time), `M` (memory) or `X` (a crash).

mod generate;

use std::collections::HashSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::{cargo, repository};
use generate::{Grammar, Kind, Random};

/// How llama.cpp ends where it does not answer.
const UNFINISHED: [char; 3] = ['T', 'M', 'X'];

/// What to compare.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The folder that llama.cpp was built in, shared libraries and all; its sources must lie where they did
    #[arg(long, value_name = "FOLDER")]
    peer: PathBuf,

    /// Grammars of each kind
    #[arg(long, value_name = "N", default_value_t = 300)]
    grammars: usize,

    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

/// A grammar with texts.
struct Case {
    source: String,
    texts: Vec<String>,
}

/// How often what was found.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    read_by_both: usize,
    same: usize,
    different: usize,
    unfinished_texts: usize,
    unfinished: usize,
    refused_by_peer: usize,
    refused_by_both: usize,
    refused_by_us: usize,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let folder = std::env::temp_dir().join(format!("compare-grammar-{}", std::process::id()));
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let done = compare(options, &folder);
    fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    let n_different = done?;
    ensure!(n_different == 0, "{n_different} answers differ");
    Ok(())
}

fn compare(options: &Options, folder: &Path) -> Result<usize> {
    let peer = folder.join("peer");
    build_peer(&options.peer, &peer)?;
    let mut ours = cargo::command(&["build", "--release", "--package", "grammar", "--example", "answers"]);
    cargo::run(&mut ours)?;
    let mut n_different = 0;
    let mut random = Random(options.seed);
    for kind in [Kind::Mixed, Kind::Empty, Kind::Hidden] {
        let cases = cases(kind, options.grammars, &mut random);
        let input = folder.join("input");
        fs::write(&input, as_input(&cases)).with_context(|| format!("cannot write {}", input.display()))?;
        let run = ["run", "--quiet", "--release", "--package", "grammar", "--example", "answers"];
        let ours = answers(&mut cargo::command(&run), &input, cases.len())?;
        let theirs = answers(&mut Command::new(&peer), &input, cases.len())?;
        let mut counts = Counts::default();
        for ((case, ours), theirs) in cases.iter().zip(&ours).zip(&theirs) {
            if !counts.add(case, ours, theirs) {
                println!("{}llama-rs: {ours}, llama.cpp: {theirs}: {:?}\n", case.source, case.texts);
            }
        }
        println!("{kind:?}, {} grammars: {counts:#?}", cases.len());
        n_different += counts.different + counts.refused_by_us;
    }
    Ok(n_different)
}

impl Counts {
    /// Whether there is nothing to look into.
    fn add(&mut self, case: &Case, ours: &str, theirs: &str) -> bool {
        match (ours.strip_prefix('I'), theirs.strip_prefix('I')) {
            (Some(ours), Some(theirs)) => {
                self.read_by_both += 1;
                let n_before = self.different;
                for (ours, theirs) in ours.chars().zip(theirs.chars()) {
                    match theirs {
                        _ if ours == theirs => self.same += 1,
                        theirs if UNFINISHED.contains(&theirs) => self.unfinished_texts += 1,
                        _ => self.different += 1,
                    }
                }
                let is_whole = ours.len() == case.texts.len() && theirs.len() == case.texts.len();
                self.different += usize::from(!is_whole);
                return self.different == n_before;
            }
            (Some(_), None) if theirs == "R" => self.refused_by_peer += 1,
            (Some(_), None) => self.unfinished += 1,
            (None, Some(theirs)) if !theirs.contains(UNFINISHED) => {
                self.refused_by_us += 1;
                return false;
            }
            (None, _) => self.refused_by_both += 1,
        }
        true
    }
}

/// Different ones.
fn cases(kind: Kind, n: usize, random: &mut Random) -> Vec<Case> {
    let mut seen = HashSet::new();
    let mut cases = Vec::new();
    while cases.len() < n {
        let grammar = Grammar::new(kind, random);
        let source = grammar.source();
        if seen.insert(source.clone()) {
            cases.push(Case { source, texts: grammar.texts(random) });
        }
    }
    cases
}

fn as_input(cases: &[Case]) -> String {
    let hex = |text: &str| text.bytes().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    let mut out = String::new();
    for Case { source, texts } in cases {
        writeln!(out, "{} {}", texts.len(), hex(source)).expect("a string takes any text");
        texts.iter().for_each(|text| out += &(hex(text) + "\n"));
    }
    out
}

fn answers(program: &mut Command, input: &Path, n: usize) -> Result<Vec<String>> {
    let input = fs::File::open(input)?;
    let output = program.stdin(input).stderr(Stdio::inherit()).output();
    let output = output.with_context(|| format!("cannot start {program:?}"))?;
    ensure!(output.status.success(), "{program:?} failed: {}", output.status);
    let lines: Vec<String> = String::from_utf8(output.stdout)?.lines().map(str::to_owned).collect();
    ensure!(lines.len() == n, "{program:?} answered {} grammars of {n}", lines.len());
    Ok(lines)
}

/// Compiles our program around llama.cpp's grammars, with its headers and its library.
fn build_peer(build: &Path, target: &Path) -> Result<()> {
    let cache = build.join("CMakeCache.txt");
    let text = fs::read_to_string(&cache).with_context(|| format!("cannot read {}", cache.display()))?;
    let source = text.lines().find_map(|line| line.strip_prefix("CMAKE_HOME_DIRECTORY:INTERNAL="));
    let source = Path::new(source.with_context(|| format!("{} does not tell the sources", cache.display()))?);
    let bin = build.canonicalize()?.join("bin");
    let mut compile = Command::new("c++");
    compile.args(["-std=c++17", "-O1"]);
    for folder in ["src", "include", "ggml/include"] {
        compile.arg("-I").arg(source.join(folder));
    }
    compile.arg(repository().join("xtask/src/compare_grammar/peer.cpp")).arg("-o").arg(target);
    compile.arg("-L").arg(&bin).args(["-lllama", "-lggml", "-lggml-base"]);
    cargo::run(compile.arg(format!("-Wl,-rpath,{}", bin.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_counted() {
        let case = Case { source: String::new(), texts: ["a", "b"].map(str::to_owned).into() };
        for (ours, theirs, is_fine, want) in [
            ("Iyn", "Iyn", true, Counts { read_by_both: 1, same: 2, ..Counts::default() }),
            ("Iyn", "Iyp", false, Counts { read_by_both: 1, same: 1, different: 1, ..Counts::default() }),
            (
                "Iyn",
                "IyT",
                true,
                Counts { read_by_both: 1, same: 1, unfinished_texts: 1, ..Counts::default() },
            ),
            ("IyE", "Iyn", false, Counts { read_by_both: 1, same: 1, different: 1, ..Counts::default() }),
            ("Iyn", "R", true, Counts { refused_by_peer: 1, ..Counts::default() }),
            ("Iyn", "M", true, Counts { unfinished: 1, ..Counts::default() }),
            ("R", "R", true, Counts { refused_by_both: 1, ..Counts::default() }),
            ("R", "Iyn", false, Counts { refused_by_us: 1, ..Counts::default() }),
        ] {
            let mut counts = Counts::default();
            assert_eq!((counts.add(&case, ours, theirs), counts), (is_fine, want), "{ours} {theirs}");
        }
    }
}
