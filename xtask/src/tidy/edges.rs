//! Which crate may know which. The table is the law; a new edge is a design decision, made in the table first.

use std::collections::BTreeMap;
use std::iter;

use serde::Deserialize;
use toml::{Spanned, Value};

use super::Finding;
use super::tree::{TextFile, Tree};

/// What a crate may depend on, and what its tests may use besides that and `testkit`. A `*` at the end of a name
/// stands for any ending.
struct Row {
    name: &'static str,
    knows: &'static [&'static str],
    tests_know: &'static [&'static str],
}

const ROWS: &[Row] = &[
    row("gguf", &[]),
    row("quant", &[]),
    row("grammar", &[]),
    row("tensor", &["quant"]),
    row("tokenizer", &["gguf"]),
    row("sampling", &["grammar"]),
    row("chat", &["grammar"]),
    row("backend", &["tensor"]),
    row("backend-*", &["backend", "tensor", "quant"]),
    Row { name: "model", knows: &["gguf", "tensor"], tests_know: &["backend", "backend-cpu", "quant"] },
    Row {
        name: "engine",
        knows: &["model", "backend", "tokenizer", "sampling", "gguf", "tensor"],
        tests_know: &["backend-cpu", "grammar", "quant"],
    },
    row("convert", &["gguf", "quant", "model"]),
    row("server", &["engine", "chat"]),
    Row { name: "bench", knows: &["engine", "sampling"], tests_know: &["backend-cpu"] },
    row("cli", &["*"]),
    row("testkit", &["gguf", "quant", "tensor", "model", "engine", "backend"]),
    row("fuzz", &["chat", "gguf", "grammar", "tokenizer"]),
    row("xtask", &[]),
];

/// For tests only: an edge to it from shipped code is never allowed.
pub(super) const TEST_CRATE: &str = "testkit";

const fn row(name: &'static str, knows: &'static [&'static str]) -> Row {
    Row { name, knows, tests_know: &[] }
}

pub(super) fn only_allowed(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &tree.manifests {
        match Manifest::parse(&file.text) {
            Ok(manifest) => findings.extend(check(file, &manifest)),
            Err(error) => findings.push(Finding::new(&file.path, 1, format!("not a manifest: {error}"))),
        }
    }
    findings
}

struct Manifest {
    package: Option<Package>,
    sections: Vec<Sections>,
}

impl Manifest {
    /// In two readings, as serde's `flatten` would lose the lines.
    fn parse(text: &str) -> Result<Self, toml::de::Error> {
        let Whole { package, target } = toml::from_str(text)?;
        let sections = iter::once(toml::from_str(text)?).chain(target.into_values()).collect();
        Ok(Self { package, sections })
    }
}

#[derive(Deserialize)]
struct Whole {
    package: Option<Package>,
    #[serde(default)]
    target: BTreeMap<String, Sections>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
}

type Dependencies = BTreeMap<Spanned<String>, Value>;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Sections {
    #[serde(default)]
    dependencies: Dependencies,
    #[serde(default)]
    build_dependencies: Dependencies,
    #[serde(default)]
    dev_dependencies: Dependencies,
}

fn check(file: &TextFile, manifest: &Manifest) -> Vec<Finding> {
    let Some(Package { name }) = &manifest.package else { return Vec::new() };
    let Some(row) = find(name) else {
        let what = format!(
            "crate `{name}` has no row in xtask/src/tidy/edges.rs: write down there what it may know"
        );
        return vec![Finding::new(&file.path, 1, what)];
    };
    let mut findings = Vec::new();
    for section in &manifest.sections {
        let shipped = section.dependencies.iter().chain(&section.build_dependencies);
        let shipped = shipped.map(|entry| (entry, row.allows(target(entry))));
        let tests = section.dev_dependencies.iter();
        let tests = tests.map(|entry| (entry, row.allows_in_tests(target(entry))));
        for (entry, is_allowed) in shipped.chain(tests) {
            let to = target(entry);
            if find(to).is_some() && !is_allowed {
                let line = file.text[..entry.0.span().start].matches('\n').count() + 1;
                let what = format!(
                    "`{name}` must not know `{to}`: move the code, or argue for the edge in the table of \
                     xtask/src/tidy/edges.rs"
                );
                findings.push(Finding::new(&file.path, line, what));
            }
        }
    }
    findings
}

/// The package that an entry names: its key, unless the entry renames it.
fn target<'a>((key, value): (&'a Spanned<String>, &'a Value)) -> &'a str {
    let renamed = value.get("package").and_then(Value::as_str);
    renamed.unwrap_or_else(|| key.get_ref())
}

/// The row of one of our crates; others have none.
fn find(name: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| matches(row.name, name))
}

impl Row {
    fn allows(&self, other: &str) -> bool {
        other != TEST_CRATE && self.knows.iter().any(|pattern| matches(pattern, other))
    }

    fn allows_in_tests(&self, other: &str) -> bool {
        other == TEST_CRATE || self.allows(other) || self.tests_know.contains(&other)
    }
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == pattern,
    }
}
